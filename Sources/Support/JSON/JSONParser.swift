// bounded in this file: positions in bytes that are held in memory, and counts under the limits.

/// A strict JSON reader (RFC 8259) with bounds on size, nesting and the number of values.
///
/// Why not Foundation's: it takes the last of two members of one name silently, and its bounds are its own.
public enum StrictJSON {
    /// - Throws: `JSONFault`, with the byte at which it stopped.
    public static func parse(
        _ bytes: [UInt8], limits: JSONLimits = JSONLimits()
    ) throws(JSONFault) -> JSONValue {
        guard bytes.count <= limits.maximumBytes else {
            throw JSONFault(
                reason: .overLimit,
                detail: "It has \(bytes.count) bytes; at most \(limits.maximumBytes) are allowed", offset: 0)
        }
        var parser = JSONParser(bytes: bytes, limits: limits)
        return try parser.document()
    }
}

struct JSONParser {
    private let bytes: [UInt8]
    private let limits: JSONLimits
    private var position = 0
    private var count = 0
    private var memory = 0

    init(bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func document() throws(JSONFault) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw failure("Something follows the document") }
        return value
    }

    private func failure(_ detail: String, _ reason: JSONFault.Reason = .malformed) -> JSONFault {
        JSONFault(reason: reason, detail: detail, offset: position)
    }

    /// A few bytes are as many as any step adds: the sum cannot overflow before it is over the limit.
    private mutating func reserve(_ bytes: Int) throws(JSONFault) {
        memory += bytes
        guard memory <= limits.maximumMemory else {
            throw failure("Its values take more than \(limits.maximumMemory) bytes of memory", .overLimit)
        }
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(JSONFault) {
        guard take(UInt8(ascii: character)) else { throw failure("“\(character)” is expected") }
    }

    private mutating func take(word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard bytes.count - position >= length,
            word.withUTF8Buffer({ $0.elementsEqual(bytes[position..<position + length]) })
        else { return false }
        position += length
        return true
    }

    private mutating func value(depth: Int) throws(JSONFault) -> JSONValue {
        guard depth < limits.maximumDepth else {
            throw failure("Values are nested more than \(limits.maximumDepth) deep", .overLimit)
        }
        count += 1
        guard count <= limits.maximumValues else {
            throw failure("There are more than \(limits.maximumValues) values", .overLimit)
        }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"):
            try reserve(JSONLimits.containerMemory)
            return .object(try object(depth: depth))
        case UInt8(ascii: "["):
            try reserve(JSONLimits.containerMemory)
            return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t") where take(word: "true"): return .bool(true)
        case UInt8(ascii: "f") where take(word: "false"): return .bool(false)
        case UInt8(ascii: "n") where take(word: "null"): return .null
        case UInt8(ascii: "N") where limits.allowsNonFinite && take(word: "NaN"): return .double(.nan)
        case UInt8(ascii: "I") where limits.allowsNonFinite && take(word: "Infinity"):
            return .double(.infinity)
        case UInt8(ascii: "-") where limits.allowsNonFinite && take(word: "-Infinity"):
            return .double(-.infinity)
        case nil: throw failure("The document is cut short")
        case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte): return try number()
        default: throw failure("A value is expected")
        }
    }

    private mutating func object(depth: Int) throws(JSONFault) -> [JSONValue.Member] {
        try expect("{")
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return members }
        repeat {
            skipSpace()
            let name = try string()
            skipSpace()
            try expect(":")
            // Few members: comparing is cheaper than hashing.
            let isNew = members.count < 8 ? !members.contains { $0.name == name } : !names.contains(name)
            guard isNew else { throw failure("Two members are called “\(name.prefix(80))”") }
            try reserve(JSONLimits.memberMemory)
            members.append(.init(name: name, value: try value(depth: depth + 1)))
            if members.count == 8 { names = Set(members.map(\.name)) }
            if members.count > 8 {
                try reserve(JSONLimits.nameMemory)
                names.insert(name)
            }
            skipSpace()
        } while take(UInt8(ascii: ","))
        try expect("}")
        return members
    }

    private mutating func array(depth: Int) throws(JSONFault) -> [JSONValue] {
        try expect("[")
        var items: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return items }
        repeat {
            try reserve(JSONLimits.itemMemory)
            items.append(try value(depth: depth + 1))
            skipSpace()
        } while take(UInt8(ascii: ","))
        try expect("]")
        return items
    }

    private mutating func number() throws(JSONFault) -> JSONValue {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let first = position
        let digits = takeDigits()
        guard digits > 0, digits == 1 || bytes[first] != UInt8(ascii: "0") else {
            throw failure("A number is damaged")
        }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            guard takeDigits() > 0 else { throw failure("A number is damaged") }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard takeDigits() > 0 else { throw failure("A number is damaged") }
        }
        guard position - start <= 400 else { throw failure("A number is too long") }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let whole = Int64(text) { return .int(whole) }
        if isWhole, let whole = UInt64(text) { return .unsigned(whole) }
        guard let number = Double(text), number.isFinite else { throw failure("A number is damaged") }
        return .double(number)
    }

    private mutating func takeDigits() -> Int {
        let start = position
        while let byte = next, Self.isDigit(byte) { position += 1 }
        return position - start
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private mutating func string() throws(JSONFault) -> String {
        try expect("\"")
        var text = ""
        var start = position
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                text += try plain(start)
                position += 1
                return text
            case UInt8(ascii: "\\"):
                text += try plain(start)
                position += 1
                text.unicodeScalars.append(try escape())
                start = position
            case ..<0x20: throw failure("A string has a control character")
            default: position += 1
            }
        }
        throw failure("A string is cut short")
    }

    private func plain(_ start: Int) throws(JSONFault) -> String {
        guard let text = String(validating: bytes[start..<position], as: UTF8.self) else {
            throw failure("A string is not in UTF-8")
        }
        return text
    }

    private mutating func escape() throws(JSONFault) -> Unicode.Scalar {
        guard let byte = next else { throw failure("A string is cut short") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try hexadecimal()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            // A pair of surrogates.
            guard unit < 0xDC00, take(word: "\\u") else { throw failure("A character is half of a pair") }
            let low = try hexadecimal()
            guard (0xDC00...0xDFFF).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            else { throw failure("A character is half of a pair") }
            return scalar
        default: throw failure("An escape is not known")
        }
    }

    private mutating func hexadecimal() throws(JSONFault) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80
            else {
                throw failure("An escape is damaged")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
