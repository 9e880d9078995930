import Foundation
import Support

/// What is sent: a POST as Standard Webhooks 1.0 describes it.
struct WebhookRequest {
    let address: WebhookAddress
    let id: String
    let body: String

    /// `v1,` and the base64 of the HMAC-SHA256 of id, time and body, parted by dots.
    static func signature(id: String, seconds: Int, body: String, secret: [UInt8]) -> String {
        let code = MessageAuthentication.code(of: Data("\(id).\(seconds).\(body)".utf8), key: secret)
        return "v1," + Data(code).base64EncodedString()
    }

    /// - Parameter seconds: since 1970; a receiver refuses what is old.
    func bytes(seconds: Int, secret: [UInt8], program: String) -> Data {
        let fields = [
            "POST \(address.target) HTTP/1.1", "Host: \(address.origin.authority)", "User-Agent: \(program)",
            "Content-Type: application/json", "Content-Length: \(body.utf8.count)", "Connection: close",
            "webhook-id: \(id)", "webhook-timestamp: \(seconds)",
            "webhook-signature: \(Self.signature(id: id, seconds: seconds, body: body, secret: secret))",
        ]
        return Data((fields.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
    }
}

/// The beginning of an answer: all that is read of it.
public struct WebhookAnswer {
    /// More than this without a status is no answer.
    public static let mostBytes = 16 << 10
    private var bytes: [UInt8] = []

    public init() {}

    public struct Malformed: Error {}

    /// - Returns: the status, once it is there. Interim answers (1xx) are passed over.
    /// - Throws: `Malformed`.
    public mutating func take(_ piece: some Sequence<UInt8>) throws -> Int? {
        bytes += piece
        while let end = bytes.firstIndex(of: 0x0A) {
            let status = try Self.status(bytes[..<end])
            guard (100..<200).contains(status) else { return status }
            guard let head = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { break }
            bytes.removeFirst(head.upperBound)
        }
        guard bytes.count < Self.mostBytes else { throw Malformed() }
        return nil
    }

    private static func status(_ line: ArraySlice<UInt8>) throws -> Int {
        let text = String(decoding: line, as: UTF8.self)
        guard let match = text.wholeMatch(of: /HTTP\/1\.[01] ([1-9][0-9]{2})( [^\r\n]*)?\r?/),
            let status = Int(match.1)
        else { throw Malformed() }
        return status
    }
}
