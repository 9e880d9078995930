import Foundation

/// A tmpfs of a few megabytes in a mount namespace of its own, which nothing but the test can fill.
///
/// Unchecked: each is used by one test.
final class SmallDisk: @unchecked Sendable {
    struct Failure: Error, CustomStringConvertible { var description: String }

    /// The flags of unshare(1) and nsenter(1) that work here; nil where no namespace can be made, as in most
    /// containers.
    static let flags: [String]? = [["--mount"], ["--user", "--map-root-user", "--mount"]].first { flags in
        (try? run("/usr/bin/unshare", flags + ["sh", "-c", "mount -t tmpfs tmpfs /mnt"])) == 0
    }

    /// As the service sees it.
    let mount: String
    private let holder = Process()

    init(bytes: Int) throws {
        guard let flags = Self.flags else { throw Failure(description: "no mount namespace") }
        mount = NSTemporaryDirectory() + "burn-disk-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
        let output = Pipe()
        holder.executableURL = URL(filePath: "/usr/bin/unshare")
        holder.arguments =
            flags + [
                "sh", "-c", "mount -t tmpfs -o size=\(bytes) tmpfs \(mount) && echo ready && exec sleep 3600",
            ]
        holder.standardInput = FileHandle.nullDevice
        holder.standardOutput = output
        try holder.run()
        guard !output.fileHandleForReading.availableData.isEmpty else {
            throw Failure(description: "no tmpfs")
        }
    }

    deinit {
        if holder.isRunning { kill(holder.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(atPath: mount)
    }

    /// The command that runs a program in the namespace, under the same process id.
    func command(_ program: URL, _ arguments: [String]) -> (URL, [String]) {
        let namespaces =
            Self.flags == ["--mount"] ? ["--mount"] : ["--user", "--preserve-credentials", "--mount"]
        return (
            URL(filePath: "/usr/bin/nsenter"),
            ["--target", "\(holder.processIdentifier)"] + namespaces + [program.path] + arguments
        )
    }

    /// A path on the disk, for the test.
    func path(_ name: String) -> String { "/proc/\(holder.processIdentifier)/root" + mount + "/" + name }

    /// Takes every byte that is left.
    func fill() throws {
        let descriptor = open(path("ballast"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(description: "ballast: \(errno)") }
        defer { close(descriptor) }
        let block = [UInt8](repeating: 0x5A, count: 64 << 10)
        var size = block.count
        while size > 0 {
            if write(descriptor, block, size) <= 0 { size /= 2 }
        }
    }

    func free() throws { try FileManager.default.removeItem(atPath: path("ballast")) }

    private static func run(_ program: String, _ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
