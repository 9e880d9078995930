// swift-tools-version: 6.2
import Foundation
import PackageDescription

// libtorch: the folder of an installed PyTorch wheel (with include/ and lib/), see scripts/setup.
let torch =
    Context.environment["BURN_TORCH_DIR"]
    ?? Context.packageDirectory + "/.torch/torch"

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: strict)
}

let package = Package(
    name: "burn",
    platforms: [.macOS(.v15)],
    products: [],
    dependencies: [],
    targets: [
        library("Problems"),
        library("Findings"),
        library("Graph", ["Problems"]),
        library("WorkerProtocol", ["Problems", "Findings"]),
        tests("Findings", []),
        tests("WorkerProtocol", ["Problems", "Findings"]),
    ]
)
