import Foundation
import Support

/// Ids that the server makes: a prefix and a ULID (48 bits of milliseconds, 80 random bits) in lower-case
/// Crockford base32, so that later ids sort after earlier ones.
public enum Identifier {
    public enum Prefix: String, Sendable, CaseIterable {
        case model = "mdl"
        case dataset = "dst"
        case job
        case key
        case server = "srv"
        case upload = "upl"
        case event = "evt"
    }

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    /// The last value given out: within one millisecond, and when the clock steps back, the next one is one
    /// more.
    private static let last = Mutex<UInt128>(0)

    public static func make(_ prefix: Prefix, at date: Date = Date()) -> String {
        let milliseconds = UInt128(max(0, date.timeIntervalSince1970 * 1000)) & ((1 << 48) - 1)
        let fresh = milliseconds << 80 | UInt128.random(in: 0..<(1 << 80))
        let value = last.withLock { last in
            last = last >> 80 >= milliseconds ? last + 1 : fresh
            return last
        }
        let digits = (0..<26).map { alphabet[Int(value >> (5 * (25 - $0)) & 31)] }
        return prefix.rawValue + "_" + String(decoding: digits, as: UTF8.self)
    }

    /// Whether the text has the form of an id with this prefix.
    public static func isValid(_ text: String, _ prefix: Prefix) -> Bool {
        let bytes = text.utf8
        return bytes.count == 30 && text.hasPrefix(prefix.rawValue + "_")
            && bytes.dropFirst(4).allSatisfy { alphabet.contains($0) }
    }
}
