import Support

/// The extra fields of a header, of which zip64's is the one that matters (APPNOTE 4.5.3).
enum ZipExtraFields {
    private static let zip64Field: UInt16 = 1
    /// Info-ZIP's second name and second comment, in UTF-8.
    private static let unicodePath: UInt16 = 0x7075
    private static let unicodeComment: UInt16 = 0x6375

    /// The zip64 field's data; nil where there is none.
    /// - Throws: `Problem` also for a second name that is not the entry's own.
    static func zip64(in extra: ArraySlice<UInt8>, entry: String) throws -> LittleEndian? {
        var reader = LittleEndian(extra)
        var seen: Set<UInt16> = []
        var found: LittleEndian?
        // Up to three bytes of padding behind the last field are in use (zipalign).
        while reader.remaining >= 4 {
            guard let id = reader.next(UInt16.self), let length = reader.next(UInt16.self),
                let data = reader.next(count: Int(widened: length))
            else { throw ZipFault.entry.problem("An extra field runs past its header.", entry: entry) }
            guard [zip64Field, unicodePath, unicodeComment].contains(id) else { continue }
            guard seen.insert(id).inserted else {
                throw (id == zip64Field ? ZipFault.entry : .ambiguous).problem(
                    "There are two extra fields of the kind \(id).", entry: entry)
            }
            switch id {
            case zip64Field: found = LittleEndian(data)
            case unicodePath:
                // A version, the checksum of the header's name, the other name.
                guard data.count >= 5, data.dropFirst(5).elementsEqual(entry.utf8) else {
                    throw ZipFault.ambiguous.problem(
                        "Its extra field of the kind 0x7075 gives it another name.", entry: entry)
                }
            default:
                throw ZipFault.ambiguous.problem(
                    "Its extra field of the kind 0x6375 gives it another comment.", entry: entry)
            }
        }
        return found
    }

    /// The true value of a 32-bit field: the field itself, or the next of the zip64 field's where the
    /// field says so.
    static func resolve(_ field: UInt32, _ zip64: inout LittleEndian?, entry: String) throws -> Int {
        guard field == .max, zip64 != nil else { return Int(widened: field) }
        guard let wide = zip64?.next(UInt64.self), let value = Int(exactly: wide) else {
            throw ZipFault.entry.problem(
                "The zip64 extra field is too short, or its value too large.", entry: entry)
        }
        return value
    }

    /// What the zip64 field holds beyond what the header asks it for has to say the same.
    /// - Parameter fields: those of the header, in the field's order.
    static func checkRest(_ zip64: LittleEndian?, fields: [UInt32], entry: String) throws {
        guard var rest = zip64, rest.remaining > 0 else { return }
        var expected = fields.filter { $0 != .max }[...]
        while rest.remaining >= 8, let field = expected.popFirst() {
            guard rest.next(UInt64.self) == UInt64(field) else {
                throw ZipFault.ambiguous.problem(
                    "Its zip64 extra field contradicts the sizes beside it.", entry: entry)
            }
        }
        // The number of its disk may follow.
        guard rest.remaining == 0 || (rest.remaining == 4 && rest.next(UInt32.self) == 0) else {
            throw ZipFault.ambiguous.problem(
                "Its zip64 extra field holds more than it is asked for.", entry: entry)
        }
    }
}
