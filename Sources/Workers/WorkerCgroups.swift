import Foundation
import Support

/// Control groups (version 2) below the service's own: one for each worker, where the kernel itself holds it
/// to its memory, counts all of its pages, and kills it whole.
public final class WorkerCgroups: Sendable {
    public struct Unavailable: Error, CustomStringConvertible {
        public var description: String
    }

    /// Threads of one worker.
    private static let maximumThreads = 4_096

    let root: URL
    private let count = Mutex(0)

    /// Moves the service into a leaf of its group, since groups with processes cannot share out memory to
    /// groups below them, and turns on memory and process control for the workers beside it.
    /// - Parameters:
    ///   - membership: /proc/self/cgroup, or what stands for it.
    ///   - mount: where version 2 is mounted.
    /// - Throws: `Unavailable` when the machine has no version 2 with memory control, or when this group is not
    ///   the service's alone (systemd: `Delegate=memory pids`).
    public init(
        membership: URL = URL(filePath: "/proc/self/cgroup"), mount: URL = URL(filePath: "/sys/fs/cgroup")
    ) throws {
        guard let text = try? String(contentsOf: membership, encoding: .utf8),
            let path = text.split(separator: "\n").first(where: { $0.hasPrefix("0::/") })?.dropFirst(3)
        else { throw Unavailable(description: "no control groups of version 2") }
        root = mount.appending(path: String(path).split(separator: "/").joined(separator: "/"))
        let controllers = Self.words(of: root.appending(path: "cgroup.controllers"))
        guard controllers.contains("memory") else {
            throw Unavailable(description: "no memory control in \(root.path)")
        }
        let process = "\(getpid())"
        guard Self.words(of: root.appending(path: "cgroup.procs")) == [process] else {
            throw Unavailable(description: "\(root.path) is shared with other processes")
        }
        do {
            let own = root.appending(path: "burnd")
            try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
            try Self.write(process, to: own.appending(path: "cgroup.procs"))
            let wanted = controllers.contains("pids") ? "+memory +pids" : "+memory"
            try Self.write(wanted, to: root.appending(path: "cgroup.subtree_control"))
        } catch {
            throw Unavailable(description: "\(root.path) is not delegated: \(error.localizedDescription)")
        }
    }

    /// A new group. - Throws: errors of the file system.
    func make(memoryBytes: Int) throws -> WorkerCgroup {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let folder = root.appending(path: "worker-\(number)")
        // Left by an earlier run, empty.
        rmdir(folder.path)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        let group = WorkerCgroup(folder: folder)
        do {
            try Self.write("\(memoryBytes)", to: folder.appending(path: "memory.max"))
            // All processes of the group die together. Without swap control there is no such file.
            try? Self.write("1", to: folder.appending(path: "memory.oom.group"))
            try? Self.write("0", to: folder.appending(path: "memory.swap.max"))
            try? Self.write("\(Self.maximumThreads)", to: folder.appending(path: "pids.max"))
        } catch {
            group.remove()
            throw error
        }
        return group
    }

    static func words(of file: URL) -> [String] {
        ((try? String(contentsOf: file, encoding: .utf8)) ?? "").split(whereSeparator: \.isWhitespace)
            .map(String.init)
    }

    /// In one write, as the kernel wants it, into a file that is there.
    static func write(_ text: String, to file: URL) throws {
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        try handle.write(contentsOf: Data(text.utf8))
    }
}

/// The group of one worker.
struct WorkerCgroup: Sendable {
    let folder: URL

    func take(_ process: pid_t) throws {
        try WorkerCgroups.write("\(process)", to: folder.appending(path: "cgroup.procs"))
    }

    /// Whether the kernel killed in it for want of memory.
    var ranOutOfMemory: Bool {
        let words = WorkerCgroups.words(of: folder.appending(path: "memory.events"))
        guard let place = words.firstIndex(of: "oom_kill"), place + 1 < words.count else { return false }
        return (Int(words[place + 1]) ?? 0) > 0
    }

    /// Once its processes are gone.
    func remove() { rmdir(folder.path) }
}
