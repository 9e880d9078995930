import Foundation
import RawHTTP

/// A `burnd serve` of the test's own, on a free loopback port.
///
/// Unchecked: each is used by one test.
final class ServiceProcess: @unchecked Sendable {
    static let programs = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    static let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../architectures/small_cnn.pt2").standardizedFileURL

    /// What scripted workers do with a model and a data set.
    static let imports = """
        [probe]
        model-summary 32
        finished
        [import]
        dataset-summary 32
        finished

        """

    struct Failure: Error, CustomStringConvertible { var description: String }

    let folder: URL
    private(set) var port: UInt16 = 0
    private var process = Process()

    private let worker: URL
    /// Settings beside those that every test has.
    private let settings: [String: String]
    /// The mount namespace that the service runs in; nil for the test's own.
    private let disk: SmallDisk?
    /// A program and its arguments that start the service's, which follows them.
    private let launcher: [String]

    /// With the real worker.
    init() throws {
        folder = try Self.makeFolder()
        worker = Self.programs.appending(path: "burn-worker")
        settings = [:]
        disk = nil
        launcher = []
        try start()
    }

    /// With the real worker.
    /// - Parameters:
    ///   - settings: `BURND_…` variables.
    ///   - worker: its program; nil for the built one.
    ///   - folder: where its data is to lie; nil for a folder of its own.
    init(settings: [String: String], worker: URL? = nil, in folder: URL? = nil) throws {
        self.folder = try folder ?? Self.makeFolder()
        self.worker = worker ?? Self.programs.appending(path: "burn-worker")
        self.settings = settings
        disk = nil
        launcher = []
        try start()
    }

    /// With the real worker, on the folder's data/. The folder is removed with it.
    init(in folder: URL) throws {
        self.folder = folder
        worker = Self.programs.appending(path: "burn-worker")
        settings = [:]
        disk = nil
        launcher = []
        try start()
    }

    static func makeFolder() throws -> URL {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "burn-e2e-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// - Parameters:
    ///   - script: the commands of every worker, see `ScriptedWorker`.
    ///   - settings: `BURND_…` variables.
    ///   - disk: where the data lies.
    ///   - launcher: a program and its arguments that become the service.
    init(
        script: String, settings: [String: String] = [:], disk: SmallDisk? = nil, launcher: [String] = []
    ) throws {
        folder = try Self.makeFolder()
        self.settings = settings
        self.disk = disk
        self.launcher = launcher
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

    /// What the service has logged since its start.
    var log: String {
        get throws { try String(contentsOf: folder.appending(path: "log"), encoding: .utf8) }
    }

    var identifier: Int32 { process.processIdentifier }

    /// Starts the service on the same data and waits for the line that names its address.
    /// - Parameter port: 0 for a free one.
    func start(port wanted: UInt16 = 0) throws {
        let log = folder.appending(path: "log")
        try Data().write(to: log)
        let errors = try FileHandle(forWritingTo: log)
        let output = Pipe()
        process = Process()
        let serve = ["serve", "--listen", "127.0.0.1:\(wanted)", "--worker", worker.path]
        let program = Self.programs.appending(path: "burnd")
        (process.executableURL, process.arguments) =
            disk?.command(program, serve) ?? (program, serve)
        if let first = launcher.first {
            process.arguments = launcher.dropFirst() + [program.path] + serve
            process.executableURL = URL(filePath: first)
        }
        process.environment = [
            "BURND_DATA": data, "BURND_LIMITS_FREE_BYTES": "0", "BURND_LOG_LEVEL": "notice",
        ].merging(settings) { $1 }
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

    /// The data folder, as the service sees it.
    var data: String { disk.map { $0.mount + "/data" } ?? folder.path + "/data" }

    /// Runs another of burnd's commands on the data.
    /// - Parameter data: nil for the service's.
    /// - Returns: the exit status and standard output.
    func run(_ arguments: [String], data: String? = nil) throws -> (status: Int32, output: String) {
        let other = Process()
        let program = Self.programs.appending(path: "burnd")
        let arguments = arguments + ["--data", data ?? self.data]
        (other.executableURL, other.arguments) = disk?.command(program, arguments) ?? (program, arguments)
        let output = Pipe()
        other.standardInput = FileHandle.nullDevice
        other.standardOutput = output
        try other.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        other.waitUntilExit()
        return (other.terminationStatus, text)
    }

    /// What `burnd fsck` finds, less what a crash may leave and the next start removes: files that nothing refers
    /// to, and uploads whose creation was not acknowledged. The service must not run.
    func faults() throws -> [String] {
        let (_, text) = try run(["fsck", "--json"])
        guard let findings = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
        else {
            return ["no answer: \(text)"]
        }
        return findings.filter { !["unreferenced", "upload-lost"].contains($0["kind"] as? String) }
            .map { "\($0)" }
    }

    /// The job, once it is finished.
    func finished(_ job: String) throws -> [String: Any] {
        while true {
            let shown = try get("/v1/jobs/\(job)", "Prefer: wait=10").json
            if shown["finished_at"] is String { return shown }
        }
    }

    /// Sends a request with a body of any kind.
    func send(_ method: String, _ target: String, _ fields: [String], body: Data = Data()) throws
        -> RawClient.Reply
    {
        let client = try client()
        let fields = fields + ["Content-Length: \(body.count)"]
        client.send(
            "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n" + fields.map { $0 + "\r\n" }.joined()
                + "\r\n")
        client.send([UInt8](body))
        return try client.reply(toHead: method == "HEAD")
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
