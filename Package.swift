// swift-tools-version: 6.2
import Foundation
import PackageDescription

// libtorch: the folder of an installed PyTorch wheel (with include/ and lib/), see scripts/setup.
let torch =
    Context.environment["BURN_TORCH_DIR"]
    ?? Context.packageDirectory + "/.torch/torch"

// Apache Arrow and Parquet: the folder of an installed pyarrow wheel, of just this version, see scripts/setup.
let arrow = Context.environment["BURN_ARROW_DIR"] ?? Context.packageDirectory + "/.torch/pyarrow"
let arrowVersion = "2600"

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
]

// Modules with loops over numbers, which are optimised in a debug build too: tests run whole detections.
let numeric: Set = ["Burn", "Support", "Tensors"]
let optimised = SwiftSetting.unsafeFlags(["-O"], .when(configuration: .debug))

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: dependencies,
        swiftSettings: strict + (numeric.contains(name) ? [optimised] : []))
}

func clibrary(_ name: String, links: [String] = []) -> Target {
    .target(
        name: name, cSettings: [.treatAllWarnings(as: .error)],
        linkerSettings: links.map { .linkedLibrary($0) })
}

/// Test helpers of Tests/Support.
func helper(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Tests/Support/" + name, swiftSettings: strict)
}

func tests(_ name: String, named suite: String? = nil, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: suite ?? name + "Tests", dependencies: [.byName(name: name)] + dependencies,
        swiftSettings: strict)
}

func program(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies + [arguments], path: path, swiftSettings: strict)
}

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

// The fuzzing harnesses link libFuzzer, which a plain build has not: `scripts/fuzz` asks for them.
let fuzzing: [Target] =
    Context.environment["BURN_FUZZ"] == nil
    ? []
    : [
        .executableTarget(
            name: "burn-fuzz",
            dependencies: [
                "API", "Containers", "DatasetFormats", "Findings", "Graph", "HTTPServer", "ImageCodecs",
                "JobStore", "ModelFormats", "Support", "Webhooks", "WorkerProtocol", "ZipFixtures", logging,
            ],
            path: "Tests/Fuzz", exclude: ["Corpus", "seeds.py"], swiftSettings: strict)
    ]

// C and C++, one system interface or library each.
let foreign: [Target] = [
    .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    clibrary("CEmbeddedFiles"),
    clibrary("CHTTPClient", links: ["gnutls"]),
    clibrary("CHTTPServer", links: ["microhttpd", "gnutls"]),
    clibrary("CImages", links: ["gif", "jpeg", "png16", "tiff", "webp", "webpdemux"]),
    clibrary("CLinux"),
    .systemLibrary(name: "CNettle", providers: [.apt(["nettle-dev"])]),
    .target(
        name: "CParquet",
        cxxSettings: [.unsafeFlags(["-std=c++20", "-O2", "-isystem", arrow + "/include"])],
        linkerSettings: [
            .unsafeFlags([
                "-L" + arrow, "-Xlinker", "-rpath", "-Xlinker", arrow,
                "-Xlinker", "-l:libparquet.so." + arrowVersion, "-Xlinker",
                "-l:libarrow.so." + arrowVersion,
            ]),
            .linkedLibrary("stdc++"),
        ]),
    .target(
        name: "CTorch",
        cxxSettings: [
            .unsafeFlags([
                "-std=c++20", "-O2", "-isystem", torch + "/include",
                "-isystem", torch + "/include/torch/csrc/api/include",
            ])
        ],
        linkerSettings: [
            .unsafeFlags(["-L" + torch + "/lib", "-Xlinker", "-rpath", "-Xlinker", torch + "/lib"]),
            .linkedLibrary("torch_cpu"), .linkedLibrary("c10"), .linkedLibrary("stdc++"),
        ]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
]

// What may depend on what: docs/architecture.md, held by scripts/check-arrows.
let modules: [Target] = [
    library("Support", ["CEmbeddedFiles", "CNettle"]),

    library("Findings", ["Support"]),
    .target(
        name: "WebAssets", dependencies: ["CEmbeddedFiles", "Support"],
        exclude: ["openapi.json", "Dashboard"], swiftSettings: strict),
    library("HTTPServer", ["CHTTPServer", "Support", httpTypes, logging]),
    library("Report", ["Findings", "Support"]),
    library("ServiceClient", ["Findings", "Support"]),
    library("WorkerProtocol", ["Findings", "Support"]),
    library("PackedDataset", ["Findings", "Support"]),

    library("Containers", ["CZlib", "Support"]),
    library("Graph", ["Support"]),
    library("ImageCodecs", ["CImages", "Support"]),
    .target(
        name: "ModelFormats",
        dependencies: ["CEmbeddedFiles", "Containers", "CZlib", "Findings", "Graph", "Support", protobuf],
        exclude: ["BuiltIn/graphs"], swiftSettings: strict),
    library(
        "DatasetFormats",
        [
            "CArchive", "Containers", "CParquet", "Findings", "Graph", "ImageCodecs",
            "PackedDataset",
            "Support", "WorkerProtocol",
        ]),

    library("ImageArchives", ["CArchive", "ImageCodecs", "Support"]),

    library("Tensors", ["CTorch", "Support"]),
    library("Execution", ["Graph", "Support", "Tensors"]),
    library("Burn", ["Execution", "Findings", "Graph", "PackedDataset", "Support", "Tensors"]),
    library(
        "AnalysisPipeline",
        [
            "Burn", "Execution", "Findings", "Graph", "ImageCodecs", "ModelFormats", "PackedDataset",
            "Support",
            "Tensors", "WorkerProtocol",
        ]),

    library("Sandbox", ["CLinux", "Support", "WorkerProtocol"]),
    library("Workers", ["CLinux", "Support", "WorkerProtocol"]),
    library("ArtifactStore", ["CLinux", "Support", "WorkerProtocol"]),
    library(
        "JobStore",
        ["ArtifactStore", "CEmbeddedFiles", "Findings", "Support", "WorkerProtocol", grdb, metrics]),
    library(
        "Storage",
        ["ArtifactStore", "Findings", "JobStore", "Support", "WorkerProtocol", "Workers", logging, metrics]),
    library("Webhooks", ["CHTTPClient", "JobStore", "Support", logging]),
    library(
        "Rendering",
        [
            "ArtifactStore", "Findings", "JobStore", "PackedDataset", "Support", "WorkerProtocol", "Workers",
            logging,
        ]),
    library(
        "JobQueue",
        [
            "ArtifactStore", "Findings", "JobStore", "PackedDataset", "Rendering", "Storage", "Support",
            "WorkerProtocol", "Workers", logging, metrics,
        ]),
    .target(
        name: "API",
        dependencies: [
            "ArtifactStore", "Findings", "HTTPServer", "JobQueue", "JobStore", "Rendering", "Report",
            "Storage",
            "Support", "WebAssets", "Webhooks", "WorkerProtocol", "Workers", logging, metrics,
        ], swiftSettings: strict),
    library("Commands", ["Findings", "Support", arguments]),
    library("AttackBench", ["Findings", "PackedDataset", "Support", "WorkerProtocol", "Workers"]),
]

let programs: [Target] = [
    .executableTarget(
        name: "burn-worker",
        dependencies: [
            "AnalysisPipeline", "Burn", "CLinux", "DatasetFormats", "Execution", "Findings", "Graph",
            "ModelFormats",
            "PackedDataset",
            "Sandbox", "Support", "Tensors", "WorkerProtocol",
        ], swiftSettings: strict),
    program(
        "burnd",
        [
            "API", "ArtifactStore", "Commands", "Findings", "HTTPServer", "JobQueue", "JobStore",
            "PackedDataset", "Report", "Sandbox", "Storage", "Support", "Webhooks", "WorkerProtocol",
            "Workers",
            logging,
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            signals, .product(name: "Yams", package: "Yams"),
        ]),
    program(
        "burn-client",
        [
            "AttackBench", "Commands", "Findings", "ImageArchives", "ServiceClient", "Support",
            "WorkerProtocol",
        ]),
    program(
        "burn-bench", path: "Benchmarks/burn-bench",
        [
            "AttackBench", "Burn", "Execution", "Findings", "Graph", "ModelFormats", "PackedDataset",
            "Support", "Tensors", "WorkerProtocol", "Workers", signals,
        ]),
    // For `make build`, without the benchmark and what only tests need.
    library("Programs", ["burn-client", "burn-worker", "burnd"]),
]

// What several test suites share.
let testSupport: [Target] = [
    .target(
        name: "ConfinedActions", path: "Tests/Support/ConfinedActions",
        cSettings: [.treatAllWarnings(as: .error)]),
    .executableTarget(
        name: "ConfinedProgram", dependencies: ["CLinux", "ConfinedActions", "Sandbox", "WorkerProtocol"],
        path: "Tests/Support/ConfinedProgram", swiftSettings: strict),
    helper("SchemaChecking"),
    .executableTarget(
        name: "ScriptedWorker", dependencies: ["JobQueue", "PackedDataset", "WorkerProtocol", "Workers"],
        path: "Tests/Support/ScriptedWorker", swiftSettings: strict),
    helper("RawHTTP"),
    helper("TinyModels", ["Execution", "Graph", "ImageCodecs", "PackedDataset", "Support", "Tensors"]),
    helper("ZipFixtures", ["Containers"]),
]

let suites: [Target] = [
    tests(
        "API",
        [
            "ArtifactStore", "Findings", "HTTPServer", "JobQueue", "JobStore", "SchemaChecking",
            "ScriptedWorker",
            "Support", "WorkerProtocol", "Workers", logging, metrics,
        ]),
    tests(
        "AnalysisPipeline",
        [
            "Burn", "Execution", "Findings", "Support", "Tensors", "TinyModels", "WorkerProtocol",
        ]),
    tests("ArtifactStore", ["ScriptedWorker", "Support"]),
    tests("AttackBench", ["Findings", "PackedDataset", "Support"]),
    tests(
        "Burn",
        [
            "Execution", "Findings", "Graph", "PackedDataset", "Support", "Tensors", "TinyModels",
            "WorkerProtocol",
        ]),
    tests(
        "burnd", named: "BurndTests",
        [
            "API", "Commands", "Findings", "HTTPServer", "JobStore", "ScriptedWorker", "Support", logging,
        ]),
    tests("burn-bench", named: "CompatibilityTests", ["Execution", "Findings", "ModelFormats", "Tensors"]),
    tests("Containers", ["Support", "ZipFixtures"]),
    tests(
        "DatasetFormats",
        [
            "CArchive", "Findings", "ImageArchives", "ImageCodecs", "PackedDataset", "Support",
            "WorkerProtocol", "ZipFixtures",
        ]),
    tests(
        "burnd", named: "EndToEndTests",
        [
            "burn-bench", "burn-client", "burn-worker", "Commands", "ConfinedProgram", "Execution",
            "HTTPServer", "ModelFormats", "RawHTTP", "ScriptedWorker", "ServiceClient", "Support", "Tensors",
            "TinyModels",
            "ZipFixtures", arguments,
        ]),
    tests("Execution", ["Graph", "ModelFormats", "Support", "Tensors"]),
    tests("Findings", ["Support"]),
    tests("Graph", ["Support"]),
    tests("HTTPServer", ["CHTTPServer", "RawHTTP", "Support", logging]),
    tests("JobQueue", ["ScriptedWorker", "Storage", "Support", grdb]),
    tests("JobStore", ["Support", grdb]),
    tests("ModelFormats", ["Containers", "Graph", "Support", "ZipFixtures", protobuf]),
    tests("PackedDataset", ["Findings", "Support"]),
    tests("Report", ["Findings", "SchemaChecking"]),
    tests("Sandbox", ["ConfinedProgram", "WorkerProtocol"]),
    tests("ServiceClient", ["HTTPServer", "Support", logging]),
    tests("Support"),
    tests("Tensors", ["Graph", "Support"]),
    tests(
        "burn-worker", named: "WorkerTests",
        [
            "Findings", "ImageCodecs", "ModelFormats", "PackedDataset", "Support", "TinyModels",
            "WorkerProtocol",
        ]),
    tests("Webhooks", ["HTTPServer", "JobStore", "Support", logging]),
    tests("WorkerProtocol", ["Findings", "Support"]),
    tests("Workers", ["ScriptedWorker", "Support"]),
]

let package = Package(
    name: "burn",
    platforms: [.macOS(.v15)],
    products: [],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: foreign + modules + programs + testSupport + suites + fuzzing
)

// The generator of the API's documentation, only for `make docs`: other builds do not even resolve it.
if Context.environment["BURN_DOCC"] != nil {
    package.dependencies.append(
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", exact: "1.5.0"))
}

// The thread sanitizer judges the server: `scripts/sanitize-thread` builds its tests and what they need, without
// libtorch.
if Context.environment["BURN_TSAN"] != nil {
    let byName = Dictionary(uniqueKeysWithValues: package.targets.map { ($0.name, $0) })
    var needed: Set<String> = []
    var rest = [
        "APITests", "ArtifactStoreTests", "HTTPServerTests", "JobQueueTests", "JobStoreTests",
        "WorkersTests",
    ]
    while let name = rest.popLast() {
        guard let target = byName[name], needed.insert(name).inserted else { continue }
        for dependency in target.dependencies {
            if case .byNameItem(let other, _) = dependency { rest.append(other) }
        }
    }
    package.targets.removeAll { !needed.contains($0.name) }
}
