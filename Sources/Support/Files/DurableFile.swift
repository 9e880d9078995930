import Foundation

/// Files that are there whole or not at all, also after a loss of power.
public enum DurableFile {
    /// What is thrown for a system call that failed on a path, with its `errno`.
    public typealias Failure = (_ call: String, _ path: String, _ code: Int32) -> Problem

    /// Writes beside `path`, then puts the file into its place.
    /// - Parameter permissions: less the process's mask.
    public static func write(
        _ content: Data, to path: String, permissions: mode_t = 0o666, failure: Failure = FileProblem.of
    ) throws {
        let part = "\(path).\(getpid()).part"
        unlink(part)
        let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, permissions)
        guard descriptor >= 0 else { throw failure("open", part, errno) }
        do {
            defer { close(descriptor) }
            try content.withUnsafeBytes { try writeAll(descriptor, $0, path: part, failure: failure) }
            try synchronise(descriptor, path: part, failure: failure)
            try move(part, to: path, failure: failure)
        } catch {
            unlink(part)
            throw error
        }
    }

    /// Puts a finished file, whose content is on the disk, into the place of `path` in the same file system.
    public static func move(_ part: String, to path: String, failure: Failure = FileProblem.of) throws {
        guard rename(part, path) == 0 else { throw failure("rename", path, errno) }
        let folder = (path as NSString).deletingLastPathComponent
        try synchronise(folder.isEmpty ? "." : folder, failure: failure)
    }

    /// The content of a file, or the names in a folder, are on the disk when it returns.
    public static func synchronise(_ path: String, failure: Failure = FileProblem.of) throws {
        let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw failure("open", path, errno) }
        defer { close(descriptor) }
        try synchronise(descriptor, path: path, failure: failure)
    }

    public static func synchronise(_ descriptor: Int32, path: String, failure: Failure = FileProblem.of)
        throws
    {
        guard retrying({ fsync(descriptor) }) == 0 else { throw failure("fsync", path, errno) }
    }

    /// Bytes of a file.
    public static func size(of path: String) throws -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileProblem.of("stat", path) }
        return Int(status.st_size)
    }

    /// Repeats a system call that a signal interrupted.
    public static func retrying(_ call: () -> Int32) -> Int32 {
        while true {
            let result = call()
            if result != -1 || errno != EINTR { return result }
        }
    }

    /// Writes at the descriptor's place, to the last byte.
    public static func writeAll(
        _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, path: String, failure: Failure = FileProblem.of
    ) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Foundation.write(
                descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw failure("write", path, errno)
            }
            rest = rest.dropFirst(written)
        }
    }
}

/// What is said of a system call on a file that failed.
public enum FileProblem {
    public static func of(_ call: String, _ path: String) -> Problem { of(call, path, errno) }

    public static func of(_ call: String, _ path: String, _ code: Int32) -> Problem {
        let reason = String(cString: strerror(code))
        if code == ENOSPC || code == EDQUOT {
            return Problem(
                .insufficientStorage, code: "disk-full", title: "No room left on the disk",
                detail: "\(call) of \(path): \(reason)",
                fix: "Delete models, data sets or jobs that are not needed any more, or add disk space.")
        }
        return Problem(
            .internal, code: "file-system", title: "A file operation failed",
            detail: "\(call) of \(path): \(reason)")
    }
}
