import Foundation

/// Frames on the pipes between the service and a worker: a 4-byte big-endian length, then JSON.
public enum Frame {
    /// A longer frame is a broken or hostile peer.
    public static let maximumLength = 16 << 20

    public enum Failure: Error, Hashable, Sendable {
        case tooLong(Int)
        case truncated
    }

    public static func encode(_ message: some Encodable) throws -> Data {
        let body = try JSONEncoder().encode(message)
        guard body.count <= maximumLength else { throw Failure.tooLong(body.count) }
        var frame = Data(capacity: 4 + body.count)
        withUnsafeBytes(of: UInt32(body.count).bigEndian) { frame.append(contentsOf: $0) }
        frame.append(body)
        return frame
    }

    /// Takes bytes as they come and gives whole messages.
    public struct Decoder<Message: Decodable>: Sendable {
        private var buffer = Data()

        public init() {}

        /// True when every byte taken has been given out as part of a message.
        public var isAtBoundary: Bool { buffer.isEmpty }

        /// Bytes after which the message that has begun may be whole.
        public var bytesWanted: Int {
            guard buffer.count >= 4 else { return 4 - buffer.count }
            let length = buffer.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            return max(1, min(length, maximumLength) + 4 - buffer.count)
        }

        /// - Throws: `Failure.tooLong`, or a `DecodingError` for a body that is no `Message`.
        public mutating func append(_ bytes: some Sequence<UInt8>) throws -> [Message] {
            buffer.append(contentsOf: bytes)
            var messages: [Message] = []
            var start = buffer.startIndex
            while buffer.endIndex - start >= 4 {
                let length = buffer[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
                guard length <= maximumLength else { throw Failure.tooLong(length) }
                guard buffer.endIndex - start - 4 >= length else { break }
                let body = buffer.subdata(in: start + 4..<start + 4 + length)
                messages.append(try JSONDecoder().decode(Message.self, from: body))
                start += 4 + length
            }
            buffer.removeSubrange(buffer.startIndex..<start)
            return messages
        }
    }
}
