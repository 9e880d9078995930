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

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func clibrary(_ name: String, links: [String]) -> Target {
    .target(
        name: name, cSettings: [.treatAllWarnings(as: .error)],
        linkerSettings: links.map { .linkedLibrary($0) })
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies + [arguments], swiftSettings: strict)
}

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

// The fuzzing harnesses link libFuzzer, which a plain build has not: `scripts/fuzz` asks for them.
let fuzzing: [Target] =
    Context.environment["BURN_FUZZ"] == nil
    ? []
    : [
        .executableTarget(
            name: "burn-fuzz",
            dependencies: [
                "DatasetFormats", "Findings", "Graph", "HTTPServer", "ModelFormats", "PickleData",
                "Problems", "StrictJSON", "WorkerProtocol", "ZipFixtures", logging,
            ],
            path: "Tests/Fuzz", exclude: ["Corpus", "seeds.py"], swiftSettings: strict)
    ]

let package = Package(
    name: "burn",
    platforms: [.macOS(.v15)],
    products: [],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        .target(
            name: "API",
            dependencies: [
                "ArtifactStore", "OutputNames", "DashboardAssets", "Findings", "HTTPServer", "JobQueue",
                "JobStore", "Locks", "Problems", "Report", "StrictJSON", "WorkerProtocol", crypto,
            ],
            resources: [.embedInCode("Resources/openapi.json")], swiftSettings: strict),
        library("ArtifactStore", ["CFileSystem", "Locks", "Problems", "WorkerProtocol", crypto]),
        library("OutputNames", ["StrictJSON"]),
        .target(name: "CConfinement", cSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "CFileSystem", cSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "CThreadStat", cSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "CSpawn", cSettings: [.treatAllWarnings(as: .error)]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
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
        .target(
            name: "Migrations", path: "migrations",
            resources: [
                .embedInCode("0001_initial.sql"), .embedInCode("0002_access.sql"),
                .embedInCode("0003_storage.sql"), .embedInCode("0004_imports.sql"),
                .embedInCode("0005_evidence.sql"), .embedInCode("0006_trusted.sql"),
                .embedInCode("0007_checks.sql"),
            ],
            swiftSettings: strict),
        library("Execution", ["Graph", "Problems", "Tensors"]),
        library(
            "Burn",
            [
                "Evaluation", "Execution", "Findings", "ImageEncoding", "ModelFormats", "PackedDataset",
                "SeededRandom", "Problems", "Tensors", "WorkerProtocol",
            ]),
        library(
            "Evaluation",
            ["Execution", "Findings", "Graph", "PackedDataset", "Problems", "SeededRandom", "Tensors"]),
        .target(
            name: "BuiltInGraphs",
            resources: [
                .embedInCode("graphs/convnext_tiny.json.gz"),
                .embedInCode("graphs/densenet161.json.gz"),
                .embedInCode("graphs/efficientnet_b0.json.gz"),
                .embedInCode("graphs/mobilenet_v2.json.gz"),
                .embedInCode("graphs/preactresnet18.json.gz"),
                .embedInCode("graphs/resnet18.json.gz"),
                .embedInCode("graphs/resnet18_cifar.json.gz"),
                .embedInCode("graphs/resnet18_small_stem.json.gz"),
                .embedInCode("graphs/vgg16_bn.json.gz"),
                .embedInCode("graphs/vgg19_bn.json.gz"),
                .embedInCode("graphs/vit_b_16.json.gz"),
                .embedInCode("graphs/wrn-16-1.json.gz"),
                .embedInCode("graphs/wrn-28-10.json.gz"),
            ], swiftSettings: strict),
        .target(
            name: "DashboardAssets", dependencies: [crypto], resources: [.embedInCode("Assets")],
            swiftSettings: strict),
        .executableTarget(
            name: "burn-worker",
            dependencies: [
                "Burn", "DatasetFormats", "Evaluation", "Execution", "ImageEncoding", "ModelFormats",
                "PackedDataset", "Problems", "Sandbox", "SeededRandom", "Tensors", "WorkerProtocol",
                "CThreadStat",
            ], swiftSettings: strict),
        library("Problems"),
        library("Findings"),
        library("Graph", ["Problems"]),
        library(
            "AttackBench",
            [
                "BackdoorAttacks", "Findings", "PackedDataset", "ProceduralImages", "Problems",
                "SeededRandom", "WorkerProtocol", "WorkerSupervisor",
            ]),
        library("BackdoorAttacks", ["Problems", "SeededRandom"]),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        clibrary("CJPEG", links: ["jpeg"]),
        clibrary("CPNG", links: ["png16"]),
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
        library(
            "DatasetFormats",
            [
                "CArchive", "CJPEG", "OutputNames", "CParquet", "CPNG", "Findings", "Graph", "ImageEncoding",
                "PackedDataset", "PickleData", "Problems", "Safetensors", "StrictJSON", "StrictZip",
                "WorkerProtocol",
            ]),
        clibrary("CHTTPServer", links: ["microhttpd", "gnutls"]),
        library("HTTPServer", ["CHTTPServer", "Locks", "Problems", logging]),
        library("ImageEncoding", ["CJPEG", "CPNG", "Problems"]),
        library(
            "JobQueue",
            ["ArtifactStore", "JobStore", "Locks", "PackedDataset", "WorkerSupervisor", crypto, logging]),
        library(
            "ModelFormats",
            [
                "BuiltInGraphs", "CZlib", "Findings", "Graph", "ONNX", "PickleData", "Problems",
                "Safetensors", "StrictJSON", "StrictZip",
            ]),
        library("Locks"),
        library("ONNX", ["Graph", "Problems", "StrictZip", protobuf]),
        library("PackedDataset", ["Findings", "Problems"]),
        library("PickleData", ["Graph", "Problems"]),
        library("ProceduralImages", ["SeededRandom"]),
        library("Report", ["Findings"]),
        library("Safetensors", ["Graph", "Problems", "StrictJSON", "StrictZip"]),
        library("Sandbox", ["CConfinement", "Problems", "WorkerProtocol"]),
        library("SeededRandom"),
        library("ServiceClient", ["Findings", "Problems", crypto]),
        library("StrictJSON"),
        library("StrictZip", ["CZlib", "Problems"]),
        library("Tensors", ["CTorch", "Graph"]),
        library("JobStore", ["ArtifactStore", "Locks", "Migrations", "WorkerProtocol", crypto, grdb]),
        library("WorkerProtocol", ["Problems", "Findings"]),
        library("WorkerSupervisor", ["CSpawn", "Locks", "WorkerProtocol"]),
        program("burn-bench", ["Compatibility", "Execution", "Findings", "ModelFormats", "Tensors"]),
        program(
            "burn-demo",
            [
                "AttackBench", "BackdoorAttacks", "DatasetFormats", "Findings", "ProceduralImages",
                "ServiceClient", "WorkerProtocol",
            ]),
        program(
            "burnd",
            [
                "API", "ArtifactStore", "AttackBench", "BackdoorAttacks", "Findings", "HTTPServer",
                "JobQueue", "JobStore", "PackedDataset", "Problems", "Report", "Sandbox",
                "ServiceClient", "WorkerProtocol", "WorkerSupervisor", crypto, logging,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ]),
        .target(
            name: "Compatibility",
            dependencies: ["Execution", "Findings", "Graph", "ModelFormats", "Problems", "Tensors"],
            path: "Tests/Compatibility", swiftSettings: strict),
        .target(name: "SchemaChecking", path: "Tests/SchemaChecking", swiftSettings: strict),
        .target(
            name: "TinyModels",
            dependencies: [
                "Execution", "Graph", "ImageEncoding", "PackedDataset", "SeededRandom", "Tensors",
            ],
            path: "Tests/TinyModels", swiftSettings: strict),
        tests(
            "Burn",
            [
                "Evaluation", "Execution", "Findings", "PackedDataset", "Problems", "SeededRandom", "Tensors",
                "TinyModels", "WorkerProtocol",
            ]),
        tests("Evaluation", ["Execution", "Findings", "Problems", "SeededRandom", "Tensors", "TinyModels"]),
        tests("Execution", ["Graph", "ModelFormats", "Problems", "Tensors"]),
        tests(
            "API",
            [
                "ArtifactStore", "DashboardAssets", "Findings", "HTTPServer", "JobQueue", "JobStore", "Locks",
                "Problems", "SchemaChecking", "ScriptedWorker", crypto, logging,
            ]),
        .testTarget(
            name: "BurndTests",
            dependencies: [
                "API", "burnd", "Findings", "HTTPServer", "JobStore", "Problems", "ScriptedWorker", logging,
            ], swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "burn-worker", "burnd", "ConfinedProgram", "Execution", "ModelFormats", "Problems",
                "ScriptedWorker", "ServiceClient", "Tensors", "TinyModels", "ZipFixtures", crypto,
            ],
            swiftSettings: strict),
        tests("ArtifactStore", ["Problems", "ScriptedWorker", crypto]),
        tests("AttackBench", ["BackdoorAttacks", "Findings", "PackedDataset", "Problems"]),
        tests("BackdoorAttacks", ["Problems", "SeededRandom"]),
        tests(
            "DatasetFormats",
            [
                "CArchive", "OutputNames", "Findings", "ImageEncoding", "PackedDataset", "Problems",
                "WorkerProtocol",
                "ZipFixtures",
            ]),
        tests("Findings", []),
        .target(
            name: "ZipFixtures", dependencies: ["StrictZip"], path: "Tests/ZipFixtures", swiftSettings: strict
        ),
        tests("ModelFormats", ["Graph", "Problems", "StrictZip", "ZipFixtures"]),
        tests("ServiceClient", ["Problems"]),
        tests("OutputNames", ["StrictJSON"]),
        tests("StrictJSON", []),
        tests("Compatibility", ["Execution", "Findings", "ModelFormats", "Tensors"]),
        tests("ONNX", ["Graph", "Problems", "StrictZip", protobuf]),
        tests("StrictZip", ["Problems", "ZipFixtures"]),
        tests("Graph", ["Problems"]),
        tests("HTTPServer", ["Locks", "Problems", crypto, logging]),
        tests("JobQueue", ["ScriptedWorker"]),
        tests("JobStore", ["Locks", "Migrations", grdb]),
        tests("PackedDataset", ["Findings", "Problems"]),
        tests("PickleData", ["Problems"]),
        tests("Problems", []),
        tests("ProceduralImages", []),
        tests("Report", ["Findings", "SchemaChecking"]),
        tests("Safetensors", ["Problems", "StrictZip"]),
        tests("Tensors", ["Graph", "SeededRandom"]),
        tests("WorkerProtocol", ["Problems", "Findings"]),
        .testTarget(
            name: "WorkerTests",
            dependencies: [
                "Findings", "ImageEncoding", "ModelFormats", "PackedDataset", "Problems", "TinyModels",
                "WorkerProtocol", "burn-worker",
            ], swiftSettings: strict),
        tests("Sandbox", ["ConfinedProgram", "WorkerProtocol"]),
        .target(
            name: "ConfinedActions", path: "Tests/ConfinedActions",
            cSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "ConfinedProgram",
            dependencies: ["ConfinedActions", "CThreadStat", "Sandbox", "WorkerProtocol"],
            path: "Tests/ConfinedProgram", swiftSettings: strict),
        tests("WorkerSupervisor", ["Locks", "ScriptedWorker"]),
        .executableTarget(
            name: "ScriptedWorker", dependencies: ["JobQueue", "PackedDataset"], path: "Tests/ScriptedWorker",
            swiftSettings: strict),
    ] + fuzzing
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
        "WorkerSupervisorTests",
    ]
    while let name = rest.popLast() {
        guard let target = byName[name], needed.insert(name).inserted else { continue }
        for dependency in target.dependencies {
            if case .byNameItem(let other, _) = dependency { rest.append(other) }
        }
    }
    package.targets.removeAll { !needed.contains($0.name) }
}
