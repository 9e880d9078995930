import Foundation

/// A `burnd serve` of the test's own, on a free loopback port.
///
/// Unchecked: each is used by one test.
final class ServiceProcess: @unchecked Sendable {
    static let programs = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    static let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../architectures/small_cnn.pt2").standardizedFileURL

    struct Failure: Error, CustomStringConvertible { var description: String }

    let folder: URL
    private(set) var port: UInt16 = 0
    private var process = Process()

    private let worker: URL

    /// With the real worker.
    init() throws {
        folder = try Self.makeFolder()
        worker = Self.programs.appending(path: "burn-worker")
        try start()
    }

    private static func makeFolder() throws -> URL {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "burn-e2e-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// - Parameter script: the commands of every worker, see `ScriptedWorker`.
    init(script: String) throws {
        folder = try Self.makeFolder()
        let commands = folder.appending(path: "script")
        try script.write(to: commands, atomically: true, encoding: .utf8)
        worker = folder.appending(path: "worker")
        let scripted = Self.programs.appending(path: "ScriptedWorker").path
        try "#!/bin/sh\nexec '\(scripted)' follow '\(commands.path)'\n"
            .write(to: worker, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: worker.path)
        try start()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    var identifier: Int32 { process.processIdentifier }

    /// Starts the service on the same data and waits for the line that names its address.
    func start() throws {
        let log = folder.appending(path: "log")
        try Data().write(to: log)
        let errors = try FileHandle(forWritingTo: log)
        let output = Pipe()
        process = Process()
        process.executableURL = Self.programs.appending(path: "burnd")
        process.arguments = ["serve", "--listen", "127.0.0.1:0", "--worker", worker.path]
        process.environment = [
            "BURND_DATA": folder.path + "/data", "BURND_LIMITS_FREE_BYTES": "0", "BURND_LOG_LEVEL": "notice",
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        var line = ""
        while !line.hasSuffix("\n") {
            let bytes = output.fileHandleForReading.availableData
            guard !bytes.isEmpty else {
                throw Failure(description: try String(contentsOf: log, encoding: .utf8))
            }
            line += String(decoding: bytes, as: UTF8.self)
        }
        guard let port = line.split(separator: ":").last.flatMap({ UInt16($0.dropLast()) }),
            line.hasPrefix("burnd listens on http://127.0.0.1:")
        else { throw Failure(description: line) }
        self.port = port
    }

    /// Sends the signal and waits for the end.
    /// - Returns: the exit status, or the signal's number negated.
    func stop(_ signal: Int32) -> Int32 {
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    func client() throws -> RawClient { try RawClient(port: port) }

    func get(_ target: String, _ fields: String..., method: String = "GET") throws -> RawClient.Reply {
        let client = try client()
        client.send(
            "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n" + fields.map { $0 + "\r\n" }.joined()
                + "\r\n")
        return try client.reply(toHead: method == "HEAD")
    }

    func post(_ target: String, _ fields: String..., body: Data = Data()) throws -> RawClient.Reply {
        let client = try client()
        let fields = fields + ["Content-Length: \(body.count)"]
        client.send(
            "POST \(target) HTTP/1.1\r\nHost: localhost\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
        client.send([UInt8](body))
        return try client.reply()
    }

    /// Uploads the model and a data set and starts a job.
    /// - Returns: the job's id.
    func startJob(_ type: String = "purify") throws -> String {
        let model = try post(
            "/v1/models?name=small.pt2", "Prefer: wait=20", body: Data(contentsOf: Self.model))
        let dataset = try post("/v1/datasets", "Prefer: wait=20", body: Self.archive)
        let body = #"{"type": "\#(type)", "model": "\#(try model.id)", "dataset": "\#(try dataset.id)"}"#
        return try post("/v1/jobs", "Content-Type: application/json", body: Data(body.utf8)).id
    }

    /// What begins like a gzip archive; the scripted worker does not look inside.
    static let archive = Data([0x1F, 0x8B, 0x08]) + Data(count: 500)
}

extension RawClient.Reply {
    var json: [String: Any] {
        get throws { try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:] }
    }

    var id: String {
        get throws {
            guard let id = try json["id"] as? String else {
                throw ServiceProcess.Failure(description: "\(status): \(text)")
            }
            return id
        }
    }
}
