/// A request as RFC 9112 lets one be read, and nothing more lenient: what the framing gate lets pass has to be this.
struct StrictRequest: Equatable {
    var method: String
    var target: String
    var fields: [[String]]
    var body: [UInt8]

    /// The requests at the front of a connection's bytes, up to the first whose head is not whole and sound.
    static func read(_ bytes: [UInt8]) -> [StrictRequest] {
        var rest = bytes[...]
        var requests: [StrictRequest] = []
        while let request = take(&rest) { requests.append(request) }
        return requests
    }

    private static func take(_ rest: inout ArraySlice<UInt8>) -> StrictRequest? {
        // Empty lines before a request are to be passed over (section 2.2), and mean nothing however they end.
        rest = rest.drop { $0 == 13 || $0 == 10 }
        var isLast = false
        guard let first = line(&rest, &isLast) else { return nil }
        let parts = first.split(separator: 32, omittingEmptySubsequences: false)
        guard parts.count == 3, isToken(parts[0]), !parts[1].isEmpty,
            parts[1].allSatisfy({ $0 > 32 && $0 != 127 }),
            parts[2].elementsEqual("HTTP/1.1".utf8) || parts[2].elementsEqual("HTTP/1.0".utf8)
        else { return nil }
        var request = StrictRequest(
            method: String(decoding: parts[0], as: UTF8.self),
            target: String(decoding: parts[1], as: UTF8.self),
            fields: [], body: [])
        var length: UInt64 = 0
        while !isLast {
            // Cut in place, a last line of a colon and LF is the same as CR LF; the gate cannot tell.
            if !request.fields.isEmpty, rest.starts(with: [58, 10]) {
                rest = rest.dropFirst(2)
                break
            }
            guard let field = line(&rest, &isLast) else { return nil }
            if field.isEmpty, !isLast { break }
            guard let colon = field.firstIndex(of: 58), isToken(field[..<colon]) else { return nil }
            let value = trimmed(field[(colon + 1)...])
            guard value.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 }) else { return nil }
            let name = String(decoding: field[..<colon], as: UTF8.self)
            request.fields.append([name, String(decoding: value, as: UTF8.self)])
            switch name.lowercased() {
            case "content-length":
                let digits = value.allSatisfy { (48...57).contains($0) }
                let others = request.fields.filter { $0[0].lowercased() == "content-length" }
                guard digits, others.count == 1, let number = UInt64(others[0][1]) else { return nil }
                length = number
            case "transfer-encoding": return nil
            default: break
            }
        }
        // Of a body that is cut short the head is there all the same.
        let count = Int(clamping: min(length, UInt64(rest.count)))
        request.body = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return request
    }

    /// Up to CR LF; neither byte may stand by itself. A zero byte before LF is let pass for CR, which the gate cannot
    /// tell from it: the line ends there for every reader that does not refuse it. So is a head's end of LF, zero byte, CR
    /// and LF, which is as long as two line ends: a head with a zero byte is one to be refused (RFC 9110, section 5.5).
    private static func line(_ rest: inout ArraySlice<UInt8>, _ isLast: inout Bool) -> ArraySlice<UInt8>? {
        guard let feed = rest.firstIndex(of: 10), feed > rest.startIndex else { return nil }
        let following = Array(rest[(feed + 1)...].prefix(3))
        if following == [0, 13, 10] || following == [0, 0, 10] {
            guard !rest[..<feed].contains(13), rest[feed - 1] != 0 else { return nil }
            defer { rest = rest[(feed + 4)...] }
            isLast = true
            return rest[..<feed]
        }
        let end = feed - 1
        guard rest[end] == 13 || rest[end] == 0, !rest[..<end].contains(13) else { return nil }
        defer { rest = rest[(feed + 1)...] }
        return rest[..<end]
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, first == 32 || first == 9 { bytes = bytes.dropFirst() }
        while let last = bytes.last, last == 32 || last == 9 { bytes = bytes.dropLast() }
        return bytes
    }

    private static func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty
            && bytes.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
