import Problems

/// The extra fields of a header, of which zip64's is the one that matters (APPNOTE 4.5.3).
enum ZipExtraFields {
    /// The zip64 field's data; nil where there is none.
    static func zip64(in extra: ArraySlice<UInt8>, entry: String) throws -> LittleEndian? {
        var reader = LittleEndian(extra)
        var found: LittleEndian?
        // Up to three bytes of padding behind the last field are in use (zipalign).
        while reader.remaining >= 4 {
            guard let id = reader.next(UInt16.self), let length = reader.next(UInt16.self),
                let data = reader.next(count: Int(length))
            else { throw ZipFault.entry.problem("An extra field runs past its header.", entry: entry) }
            guard id == 1 else { continue }
            guard found == nil else {
                throw ZipFault.entry.problem("There are two zip64 extra fields.", entry: entry)
            }
            found = LittleEndian(data)
        }
        return found
    }

    /// The true value of a 32-bit field: the field itself, or the next of the zip64 field's where the
    /// field says so.
    static func resolve(_ field: UInt32, _ zip64: inout LittleEndian?, entry: String) throws -> Int {
        guard field == .max, zip64 != nil else { return Int(field) }
        guard let wide = zip64?.next(UInt64.self), let value = Int(exactly: wide) else {
            throw ZipFault.entry.problem(
                "The zip64 extra field is too short, or its value too large.", entry: entry)
        }
        return value
    }
}
