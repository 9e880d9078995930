import Foundation
import Testing

/// A real slurmctld, munged and two slurmd on loopback, in a folder of their own. They end with this process, however that
/// ends: `Tests/Slurm/cluster.sh` goes by its standard input.
///
/// Unchecked: used by tests that run one after the other.
final class SlurmCluster: @unchecked Sendable {
    struct Entry {
        var id: Int
        var state, reason, node, name: String
    }

    private static let programs = [
        "slurmctld", "slurmd", "munged", "srun", "squeue", "scancel", "sinfo", "scontrol",
    ]
    static let isAtHand = getuid() == 0 && programs.allSatisfy { find($0) != nil } && canMount
    /// A container may not let a node hide a folder.
    private static var canMount: Bool {
        let attempt = Process()
        attempt.executableURL = URL(filePath: "/usr/bin/unshare")
        attempt.arguments = ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]
        attempt.standardError = FileHandle.nullDevice
        do { try attempt.run() } catch { return false }
        attempt.waitUntilExit()
        return attempt.terminationStatus == 0
    }
    static let missing: Comment =
        "no Slurm here, not root, or no mounts of one's own: apt-get install slurm-wlm munge (scripts/setup does it on Debian)"

    /// The one that all tests share.
    static let shared = Result { try SlurmCluster() }

    let folder: String
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    private init() throws {
        // Short: the path of munge's socket is.
        folder = "/tmp/burn-slurm-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Slurm/cluster.sh").standardizedFileURL
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = [script.path, folder, "\(try Self.freePorts(3))"]
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        guard line() == "idle" else {
            let logs = ["output.log", "slurmctld.log"].map {
                (try? String(contentsOfFile: folder + "/" + $0, encoding: .utf8)) ?? "no \($0)"
            }
            throw ServiceProcess.Failure(description: "Slurm does not start: " + logs.joined(separator: "\n"))
        }
    }

    private static func find(_ program: String) -> String? {
        ["/usr/bin/", "/usr/sbin/"].map { $0 + program }.first { access($0, X_OK) == 0 }
    }

    /// Below those that the system hands out by itself, so that they stay free until the daemons take them.
    /// - Returns: the first of `count` TCP ports, one after the other, that nothing listens on.
    private static func freePorts(_ count: Int) throws -> Int {
        for _ in 0..<200 {
            let first = Int.random(in: 10_000..<32_000)
            if (first..<first + count).allSatisfy(isFree) { return first }
        }
        throw ServiceProcess.Failure(description: "no \(count) free ports one after the other")
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// - Returns: the script's next line: it answers each command with one, and its start as well.
    private func line() -> String {
        var line = Data()
        while case let byte = output.fileHandleForReading.readData(ofLength: 1), let first = byte.first,
            first != 0x0A
        {
            line.append(first)
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// `stop`, `kill` or `start` one of the daemons.
    func tell(_ action: String, _ name: String) {
        input.fileHandleForWriting.write(Data("\(action) \(name)\n".utf8))
        _ = line()
    }

    /// Runs one of Slurm's programs.
    /// - Returns: what it wrote.
    @discardableResult
    func run(_ program: String, _ arguments: String...) throws -> String { try run(program, arguments) }

    @discardableResult
    func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: try #require(Self.find(program)))
        process.arguments = arguments
        process.environment = ["SLURM_CONF": folder + "/slurm.conf", "PATH": "/usr/bin:/bin"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self)
    }

    /// What waits and runs.
    func queue() throws -> [Entry] {
        try run("squeue", "--noheader", "--format=%A|%T|%r|%N|%j").split(separator: "\n").map { line in
            let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            try #require(fields.count == 5, "\(line)")
            return Entry(
                id: try #require(Int(fields[0])), state: fields[1], reason: fields[2], node: fields[3],
                name: fields[4])
        }
    }

    /// - Parameter completing: whether jobs count that have ended, and whose node has not said so yet.
    func waitUntilEmpty(seconds: Int, completing: Bool = true) throws {
        func left() throws -> [Entry] { try queue().filter { completing || $0.state != "COMPLETING" } }
        for _ in 0..<seconds * 10 {
            if try left().isEmpty { return }
            usleep(100_000)
        }
        let left = try left()
        #expect(left.isEmpty, "\(left)")
    }

    /// A folder with Slurm's programs, one of which a script stands before.
    /// - Parameter script: in which REAL is the program's path.
    func programs(_ name: String, _ script: String) throws -> String {
        let place = "\(folder)/programs-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        for program in ["srun", "squeue", "scancel", "sinfo"] {
            let real = try #require(Self.find(program))
            let path = "\(place)/\(program)"
            guard program == name else {
                try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: real)
                continue
            }
            let text = "#!/bin/bash\ncd '\(place)'\n" + script.replacing("REAL", with: real)
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        return place
    }

    /// What a service is told to use it.
    var settings: [String: String] {
        [
            "BURND_EXECUTOR": "slurm", "BURND_SLURM_CONFIG": folder + "/slurm.conf",
            "BURND_SLURM_PARTITION": "main", "BURND_SLURM_JOB_MEMORY": "1 GiB",
            "BURND_SLURM_IMPORT_MEMORY": "256 MiB",
            "BURND_SLURM_JOB_MINUTES": "60", "BURND_SLURM_IMPORT_MINUTES": "10",
        ]
    }
}
