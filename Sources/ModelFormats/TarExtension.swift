import Support

/// What extended headers say of the entry behind them: name and size, by pax or by GNU tar, each said once.
struct TarExtension {
    private(set) var name: String?
    private(set) var size: Int?
    private var seen: Set<UInt8> = []

    /// pax's, for the next entry and for all, and GNU tar's for a long name.
    static let kinds: Set<UInt8> = [UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L")]

    var isEmpty: Bool { name == nil && size == nil }

    /// - Throws: `Problem` `tar-damaged`, also for what programs read in different ways.
    mutating func read(_ content: [UInt8], kind: UInt8) throws {
        guard seen.insert(kind).inserted else {
            throw TarArchive.damaged("Two extended headers of one kind stand before an entry.")
        }
        if kind == UInt8(ascii: "L") {
            guard let text = String(validating: content.prefix { $0 != 0 }, as: UTF8.self) else {
                throw TarArchive.damaged("A long name is not UTF-8.")
            }
            try set(name: text)
            return
        }
        var keys: Set<String> = []
        var rest = content[...]
        while !rest.isEmpty {
            let (key, value) = try Self.record(&rest)
            guard keys.insert(key).inserted else {
                throw TarArchive.damaged("An extended header says “\(key.prefix(40))” twice.")
            }
            guard key == "path" || key == "size" || key == "hdrcharset" || key.hasPrefix("GNU.sparse") else {
                continue
            }
            guard kind == UInt8(ascii: "x"), key == "path" || key == "size" else {
                throw TarArchive.damaged(
                    "An extended header says “\(key.prefix(40))”, which is not supported there.")
            }
            if key == "path" {
                try set(name: value)
            } else {
                // Digits alone: no sign, no space.
                guard value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let size = Int(value) else {
                    throw TarArchive.damaged("A size of an extended header is not valid.")
                }
                self.size = size
            }
        }
    }

    private mutating func set(name: String) throws {
        guard self.name == nil else { throw TarArchive.damaged("Two extended headers name one entry.") }
        self.name = name
    }

    // bounded: the length is compared with what is left.
    /// The next record, `length key=value` and a line feed, whose length counts all of it.
    private static func record(_ rest: inout ArraySlice<UInt8>) throws -> (key: String, value: String) {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard (1...8).contains(digits.count), let length = Int(String(decoding: digits, as: UTF8.self)),
            length > digits.count, length <= rest.count
        else { throw TarArchive.damaged("An extended header is not valid.") }
        let record = rest.prefix(length).dropFirst(digits.count)
        rest = rest.dropFirst(length)
        guard record.first == 0x20, record.last == 0x0A, record.count >= 2,
            let text = String(validating: record.dropFirst().dropLast(), as: UTF8.self),
            let equals = text.firstIndex(of: "=")
        else { throw TarArchive.damaged("An extended header is not valid.") }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }
}
