/// A media type as a Content-Type field names it (RFC 9110, section 8.3.1).
public struct MediaType: Sendable, Hashable {
    /// `type/subtype` in lower case, without parameters.
    public let essence: String
    /// By lower-case name; values as they came, without quotes.
    public let parameters: [String: String]

    /// Nil for text that is no media type, also for one with a broken or repeated parameter: two readers could
    /// take it for two things.
    public init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        guard let type = Self.token(&rest), rest.popFirst() == UInt8(ascii: "/"),
            let subtype = Self.token(&rest)
        else { return nil }
        essence = (type + "/" + subtype).lowercased()
        var parameters: [String: String] = [:]
        while true {
            Self.skipBlanks(&rest)
            guard let separator = rest.popFirst() else { break }
            guard separator == UInt8(ascii: ";") else { return nil }
            Self.skipBlanks(&rest)
            // The grammar allows a semicolon with nothing after it.
            if rest.isEmpty || rest.first == UInt8(ascii: ";") { continue }
            guard let name = Self.token(&rest)?.lowercased(), rest.popFirst() == UInt8(ascii: "="),
                let value = Self.value(&rest), parameters.updateValue(value, forKey: name) == nil
            else { return nil }
        }
        self.parameters = parameters
    }

    /// JSON, in the one encoding that it has.
    public var isJSON: Bool {
        essence == "application/json" && (parameters["charset"] ?? "utf-8").lowercased() == "utf-8"
    }

    private static func skipBlanks(_ rest: inout ArraySlice<UInt8>) {
        rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
    }

    private static func token(_ rest: inout ArraySlice<UInt8>) -> String? {
        let token = rest.prefix { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
        rest = rest.dropFirst(token.count)
        return token.isEmpty ? nil : String(decoding: token, as: UTF8.self)
    }

    private static func value(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard rest.first == UInt8(ascii: "\"") else { return token(&rest) }
        rest.removeFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return String(decoding: bytes, as: UTF8.self) }
            guard let next = byte == UInt8(ascii: "\\") ? rest.popFirst() : byte else { return nil }
            bytes.append(next)
        }
        return nil
    }
}

extension HTTPRequestHead {
    /// Of the body. Nil where none is named, or what is named is none, or twice.
    public var mediaType: MediaType? {
        let values = headers[values: .contentType]
        return values.count == 1 ? MediaType(values[0]) : nil
    }
}
