import Foundation
import Testing

/// Real model files: those of the shared cases, and those that a Python with PyTorch exports for the tests.
enum Fixtures {
    /// The folder of the cases, from `BURN_CASES` or beside the package; nil where there is none.
    static let cases: URL? = {
        let given = ProcessInfo.processInfo.environment["BURN_CASES"].map { URL(filePath: $0) }
        let package = URL(filePath: #filePath).appending(path: "../../..").standardized
        let folder = given ?? package.appending(path: "../shared/cases").standardized
        return FileManager.default.fileExists(atPath: folder.appending(path: "badnets/model.pt2").path)
            ? folder : nil
    }()

    static let python = ProcessInfo.processInfo.environment["BURN_PYTHON"]

    static let withoutCases: Comment = "no cases: set BURN_CASES to the folder with badnets/model.pt2"
    static let withoutPython: Comment = "no PyTorch: set BURN_PYTHON to a Python that imports torch"

    /// The folder of exported models, made once for all tests. `BURN_EXPORTED_MODELS` names one that is kept.
    static let exported: Result<URL, any Error> = Result {
        if let kept = ProcessInfo.processInfo.environment["BURN_EXPORTED_MODELS"] {
            return URL(filePath: kept)
        }
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "burn-models-\(UUID().uuidString)")
        try runPython(["export", folder.path])
        return folder
    }

    struct PythonFailed: Error {
        var arguments: [String]
        var output: String
    }

    /// The folder of files of weights alone, made once for all tests.
    static let weights: Result<URL, any Error> = Result {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "burn-weights-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try runPython(["make", folder.path], script: "weights.py")
        return folder
    }

    /// Runs a script of Tests/Fixtures; gives what it printed.
    @discardableResult
    static func runPython(_ arguments: [String], script name: String = "export_models.py") throws -> Data {
        let script = URL(filePath: #filePath).appending(path: "../../Fixtures/\(name)").standardized
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [python ?? "python3", script.path] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw PythonFailed(
                arguments: arguments, output: String(decoding: output.suffix(2_000), as: UTF8.self))
        }
        return output
    }

    static func exportedModel(_ name: String) throws -> String {
        try exported.get().appending(path: name).path
    }
}

/// A file that is gone after the test.
final class TemporaryFile {
    let path = FileManager.default.temporaryDirectory.appending(path: "burn-\(UUID().uuidString).pt2").path

    init(_ bytes: [UInt8]? = nil) throws {
        if let bytes { try Data(bytes).write(to: URL(filePath: path)) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension ProcessInfo {
    static var hasPython: Bool { Fixtures.python != nil }
}
