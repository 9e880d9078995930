import CLinux
import Foundation
import Support

/// The few system calls that durability needs, each with a `Problem` that names the path.
enum FileSystem {
    static let fileMode: mode_t = 0o600
    static let directoryMode: mode_t = 0o700

    static func makeDirectory(_ path: String) throws {
        if mkdir(path, directoryMode) == -1, errno != EEXIST { throw FileProblem.of("mkdir", path) }
        var status = stat()
        guard lstat(path, &status) == 0 else { throw FileProblem.of("lstat", path) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw FileProblem.of("mkdir", path, ENOTDIR) }
    }

    static func isRegularFile(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Bytes of a regular file; nil when there is none.
    static func size(_ path: String) -> Int? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Reserves space for a file of `length` bytes without changing its size. Where the file system has no
    /// such thing nothing is reserved: a write may then find the disk full.
    static func reserve(_ descriptor: Int32, _ length: Int, _ path: String) throws {
        let code = burn_reserve(descriptor, Int64(length))
        guard code != 0, code != EOPNOTSUPP, code != ENOSYS else { return }
        throw FileProblem.of("reservation of \(length) bytes", path, code)
    }

    /// Bytes an unprivileged process can still write on the file system of `path`.
    static func freeBytes(_ path: String) throws -> Int {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw FileProblem.of("statvfs", path) }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(
            by: UInt64(status.f_frsize))
        return overflow ? .max : Int(clamping: bytes)
    }
}
