import Foundation
import Support

/// A connected or listening Unix socket, `control` in the data folder. Only the folder's owner can reach it,
/// and both ends check that the other runs as the same user (or as root).
struct ControlSocket: Sendable {
    static let name = "control"
    /// Of one document.
    static let maximumBytes = 1 << 20

    let descriptor: Int32

    /// - Throws: `Problem` `control-socket`.
    private init(
        _ action: String, folder: String, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    )
        throws
    {
        // The path of a socket has at most 107 bytes; through the open folder, any path of the folder fits.
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if directory >= 0 { close(directory) } }
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = "/proc/self/fd/\(directory)/\(Self.name)"
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                directory < 0 || descriptor < 0
                    ? -1 : use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw Problem(
                .unavailable, code: "control-socket", title: "The running service cannot be reached",
                detail: "\(action) \(folder)/\(Self.name): \(reason)",
                fix: "Try again; the service may be starting or stopping.")
        }
    }

    static func connected(to folder: String) throws -> ControlSocket {
        try ControlSocket("connect", folder: folder) { connect($0, $1, $2) }
    }

    /// Replaces what a process that died left; the folder's lock keeps a second service away.
    static func listening(in folder: String) throws -> ControlSocket {
        unlink(folder + "/" + name)
        return try ControlSocket("listen", folder: folder) { descriptor, address, size in
            // Linux gives the socket in the folder its descriptor's mode: nobody else gets at it between its birth and a
            // chmod. Not by umask, which is the whole process's: folders that other threads make could not be entered.
            fchmod(descriptor, 0o600) == 0 && bind(descriptor, address, size) == 0
                ? listen(descriptor, 8) : -1
        }
    }

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Whether the other end runs as this user or as root.
    var isTrusted: Bool {
        // struct ucred, which Glibc's module hides.
        var peer: (pid: pid_t, uid: uid_t, gid: gid_t) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: peer))
        return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
            && (peer.uid == geteuid() || peer.uid == 0)
    }

    /// A peer that falls silent is not waited for.
    func setTimeout(seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    /// Sends a document and ends the sending side.
    func send(_ value: some Encodable) throws {
        var rest = try JSONEncoder().encode(value)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Self.broken }
            rest = rest.dropFirst(count)
        }
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// The other end's document.
    func receive<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        var data = Data()
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count >= 0, data.count + count <= Self.maximumBytes else { throw Self.broken }
            if count == 0 { break }
            data += chunk[..<count]
        }
        return try JSONDecoder().decode(type, from: data)
    }

    private static let broken = Problem(
        .unavailable, code: "control-socket", title: "The running service cannot be reached",
        detail: "The connection broke.", fix: "Try again; burnd keys list shows what was done.")
}
