import Foundation
import Support

/// A request target, split and percent-decoded (RFC 9112 section 3.2, RFC 3986 section 3).
struct RequestTarget {
    /// The host and port of a target that is a whole URI.
    var authority: String?
    var path: String
    var segments: [String]
    var query: [HTTPQueryItem] = []

    /// - Throws: `Problem` (malformed) for a target that is not a path or an http URI, or that is badly encoded.
    init(_ raw: String) throws {
        var rest = raw[...]
        if let scheme = rest.prefixMatch(of: /(?i:https?):\/\/([^\/?]*)/) {
            authority = String(scheme.1)
            rest = rest[scheme.range.upperBound...]
            if !rest.hasPrefix("/") { rest = "/" + rest }
        }
        guard rest.hasPrefix("/") || rest == "*" else {
            throw Self.malformed("a request target starts with a slash", raw)
        }
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x23 }) else {
            throw Self.malformed("a request target holds printable ASCII without spaces or #", raw)
        }
        let mark = rest.firstIndex(of: "?")
        path = String(rest[..<(mark ?? rest.endIndex)])
        segments = try path.split(separator: "/").map { try Self.decode($0, plusIsSpace: false) }
        guard let mark else { return }
        query = try rest[rest.index(after: mark)...].split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return HTTPQueryItem(
                name: try Self.decode(parts[0], plusIsSpace: true),
                value: parts.count > 1 ? try Self.decode(parts[1], plusIsSpace: true) : "")
        }
    }

    /// Percent-decodes strictly: two hexadecimal digits after each `%`, UTF-8 as the result.
    static func decode(_ text: Substring, plusIsSpace: Bool) throws -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == 0x25 {
                guard let high = rest.popFirst().flatMap(hexadecimal),
                    let low = rest.popFirst().flatMap(hexadecimal)
                else { throw malformed("two hexadecimal digits must follow a %", String(text)) }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == 0x2B ? 0x20 : byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw malformed("the percent-encoded bytes are not UTF-8", String(text))
        }
        return decoded
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    private static func malformed(_ detail: String, _ text: String) -> Problem {
        Problem(
            .malformed, code: "request-target-malformed", title: "The request's address is not valid",
            detail: detail, location: String(text.prefix(200)),
            fix: "Percent-encode the characters of the path and the query, as UTF-8.")
    }
}
