import Foundation

/// A backdoored model of the shared cases, with the data that make_case.py poisons for it.
///
/// The data is built once and kept in .cache/test-cases of the package.
struct RealCase {
    /// What the attacker knows of one training image.
    struct Truth {
        var label: Int
        var isPoisoned: Bool
    }

    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardizedFileURL
    static let python = ProcessInfo.processInfo.environment["BURN_PYTHON"]

    /// The folder with `cases` and `data`.
    static let shared: URL? = {
        let named = ProcessInfo.processInfo.environment["BURN_SHARED"].map { URL(filePath: $0) }
        return [named, package.appending(path: "../shared").standardizedFileURL].compactMap(\.self).first {
            FileManager.default.fileExists(atPath: $0.appending(path: "cases/make_case.py").path)
        }
    }()

    static var isAtHand: Bool { shared != nil && python != nil }
    static let missing = "no real cases: set BURN_SHARED, and BURN_PYTHON with torch, numpy and pillow"

    let model: URL
    let folder: URL
    /// By file name without its ending.
    let truth: [String: Truth]

    /// BadNets into class 8 (ship), 10 % poisoned.
    static func badNets(train: Int, test: Int) throws -> RealCase {
        guard let shared else { throw ServiceProcess.Failure(description: missing) }
        let folder = package.appending(path: ".cache/test-cases/badnets-\(train)-\(test)")
        // case.json is written last.
        if !FileManager.default.fileExists(atPath: folder.appending(path: "case.json").path) {
            try? FileManager.default.removeItem(at: folder)
            _ = try runPython([
                shared.appending(path: "cases/make_case.py").path, "--attack", "badnets", "--target", "8",
                "--train", "\(train)", "--test", "\(test)", "--out", folder.path,
            ])
        }
        let lines = try String(contentsOf: folder.appending(path: "truth.csv"), encoding: .utf8)
            .split(whereSeparator: \.isNewline).dropFirst()
        var truth: [String: Truth] = [:]
        for line in lines {
            let fields = line.split(separator: ",")
            guard fields.count == 4, let label = Int(fields[2]) else {
                throw ServiceProcess.Failure(description: "truth.csv: \(line)")
            }
            truth[String(fields[0])] = Truth(label: label, isPoisoned: fields[3] == "1")
        }
        return RealCase(
            model: shared.appending(path: "cases/badnets/model.pt2"), folder: folder, truth: truth)
    }

    /// A folder of the case as a tar archive.
    func archive(_ path: String) throws -> Data {
        let file = folder.appending(path: path.replacing("/", with: "-") + ".tar")
        if !FileManager.default.fileExists(atPath: file.path) {
            let part = file.appendingPathExtension("part")
            let source = folder.appending(path: path).path
            _ = try Self.run(
                "/usr/bin/env", ["tar", "--create", "--file", part.path, "--directory", source, "."])
            try FileManager.default.moveItem(at: part, to: file)
        }
        return try Data(contentsOf: file)
    }

    static func runPython(_ arguments: [String]) throws -> Data {
        try run("/usr/bin/env", [python ?? "python3"] + arguments)
    }

    /// - Returns: what it wrote on standard output.
    private static func run(_ program: String, _ arguments: [String]) throws -> Data {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw ServiceProcess.Failure(description: "\(arguments) failed")
        }
        return data
    }
}
