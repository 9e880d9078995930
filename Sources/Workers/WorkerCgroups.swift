import Foundation
import Support

/// Control groups (version 2) below the service's own: one for each worker, where the kernel itself holds it
/// to its memory, counts all of its pages, and kills it whole.
public final class WorkerCgroups: Sendable {
    /// This machine, or whoever started the service, gives it no groups of its own.
    public struct Unavailable: Error, CustomStringConvertible {
        public var description: String
    }

    /// A group that is the service's own could not be set up.
    public struct Failure: Error, CustomStringConvertible {
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
    ///   the service's alone to write (systemd: `Delegate=memory pids`); `Failure` when it is, and does not take what
    ///   is written.
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
        let control = root.appending(path: "cgroup.subtree_control")
        guard access(root.path, W_OK) == 0, access(control.path, W_OK) == 0 else {
            throw Unavailable(
                description: "\(root.path) is not delegated: \(String(cString: strerror(errno)))")
        }
        do {
            let own = root.appending(path: "burnd")
            try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
            try Self.write(process, to: own.appending(path: "cgroup.procs"))
            try Self.write(controllers.contains("pids") ? "+memory +pids" : "+memory", to: control)
        } catch {
            throw Failure(description: "\(root.path) could not be set up: \(error.localizedDescription)")
        }
    }

    /// A new group. - Throws: `Failure`; nothing is left of the group then.
    func make(memoryBytes: Int) throws -> WorkerCgroup {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let folder = root.appending(path: "worker-\(number)")
        // Left by an earlier run, empty.
        rmdir(folder.path)
        let group = WorkerCgroup(folder: folder)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
            try Self.write("\(memoryBytes)", to: folder.appending(path: "memory.max"))
            // All processes of the group die together.
            try Self.writeIfThere("1", to: folder.appending(path: "memory.oom.group"))
            try Self.writeIfThere("0", to: folder.appending(path: "memory.swap.max"))
            try Self.writeIfThere("\(Self.maximumThreads)", to: folder.appending(path: "pids.max"))
        } catch {
            group.remove()
            throw Failure(description: "\(folder.path) could not be set up: \(error.localizedDescription)")
        }
        return group
    }

    /// A kernel without swap control, say, has no such file: there is nothing to hold then.
    private static func writeIfThere(_ text: String, to file: URL) throws {
        guard access(file.path, F_OK) == 0 else { return }
        try write(text, to: file)
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

    /// - Throws: `WorkerCgroups.Failure`.
    func take(_ process: pid_t) throws {
        do { try WorkerCgroups.write("\(process)", to: folder.appending(path: "cgroup.procs")) } catch {
            throw WorkerCgroups.Failure(
                description: "\(folder.path) does not take the worker: \(error.localizedDescription)")
        }
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
