// What `make build` builds, and nothing else: Package.swift lists the programs that this target depends on, so that one
// `swift build --target Programs` builds them side by side.
