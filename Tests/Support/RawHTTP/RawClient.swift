import Foundation

/// A blocking client over a plain socket: sends exactly the bytes that a test wants.
///
/// Unchecked: each client is used by one task at a time.
public final class RawClient: @unchecked Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String

        public init(description: String) { self.description = description }
    }

    public struct Reply {
        public var status = 0
        public var headers: [String: String] = [:]
        public var body = Data()
        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    public let descriptor: Int32
    private var buffer: [UInt8] = []

    public init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "socket: \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // A guard against hanging tests, not a measurement.
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            let reason = errno
            close(descriptor)
            throw Failure(description: "connect: \(reason)")
        }
    }

    deinit { close(descriptor) }

    /// Sends everything; false when the server closed before it was taken.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    @discardableResult
    public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Closes the sending side.
    public func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    private func fill() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count >= 0 else { throw Failure(description: "recv: \(errno)") }
        buffer += chunk[..<count]
        return count > 0
    }

    public func line() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                defer { buffer.removeSubrange(...end) }
                return String(decoding: buffer[..<end].filter { $0 != 13 }, as: UTF8.self)
            }
            guard try fill() else {
                throw Failure(description: "closed in a line: \(buffer.count) bytes left")
            }
        }
    }

    public func bytes(_ count: Int) throws -> Data {
        while buffer.count < count {
            guard try fill() else {
                throw Failure(description: "closed, \(count - buffer.count) bytes missing")
            }
        }
        defer { buffer.removeFirst(count) }
        return Data(buffer[..<count])
    }

    /// True when the server has closed and nothing more came.
    public func closed() throws -> Bool {
        guard buffer.isEmpty else { return false }
        do { return try !fill() } catch { return errno == ECONNRESET }
    }

    /// Everything until the server closes.
    public func rest() throws -> String {
        while try fill() { continue }
        return String(decoding: buffer, as: UTF8.self)
    }

    public func head() throws -> Reply {
        var reply = Reply()
        let words = try line().split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw Failure(description: "no status line: \(words)")
        }
        reply.status = status
        while case let field = try line(), !field.isEmpty {
            let parts = field.split(separator: ":", maxSplits: 1)
            reply.headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        return reply
    }

    /// One chunk of a chunked body; empty at its end.
    public func chunk() throws -> Data {
        guard let size = Int(try line(), radix: 16) else { throw Failure(description: "no chunk size") }
        let data = try bytes(size)
        _ = try line()
        return data
    }

    public func reply(toHead: Bool = false) throws -> Reply {
        var reply = try head()
        if toHead || reply.status == 304 || reply.status == 204 || reply.status < 200 { return reply }
        if reply.headers["transfer-encoding"] == "chunked" {
            while case let data = try chunk(), !data.isEmpty { reply.body += data }
        } else if let length = reply.headers["content-length"].flatMap(Int.init) {
            reply.body = try bytes(length)
        }
        return reply
    }

    public func get(_ target: String, _ fields: String..., method: String = "GET") throws -> Reply {
        send("\(method) \(target) HTTP/1.1\r\nHost: test\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
        return try reply(toHead: method == "HEAD")
    }
}
