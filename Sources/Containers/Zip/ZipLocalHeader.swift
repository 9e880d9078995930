import Support

// bounded in this file: places before the directory; what headers say of others goes through `Checked`.

/// Checks an entry's local header and data descriptor against its central record.
struct ZipLocalHeader {
    private static let headerLength = 30
    /// Read with the header at once; a longer extra field takes a second read.
    private static let usualExtra = 128

    let file: RandomAccessFile
    /// Where the central directory begins: nothing of an entry may lie behind it.
    let limit: Int

    /// The entry with its data's place, and where it ends, its data descriptor included.
    func locate(_ record: ZipCentralRecord) throws -> (entry: ZipEntry, end: Int) {
        var entry = record.entry
        func broken(_ detail: String) -> Problem { ZipFault.entry.problem(detail, entry: entry.name) }

        let start = entry.localHeaderOffset
        let fixed = Self.headerLength + record.nameBytes.count
        guard start <= limit - fixed else {
            throw broken("The local header (offset \(start)) is not before the directory (\(limit)).")
        }
        let bytes = try file.bytes(at: start, count: min(fixed + Self.usualExtra, limit - start))
        var header = LittleEndian(bytes[...])
        guard header.next(UInt32.self) == 0x0403_4B50, header.next(UInt16.self) != nil,
            let flags = header.next(UInt16.self), let method = header.next(UInt16.self),
            header.next(UInt32.self) != nil, let crc32 = header.next(UInt32.self),
            let compressed = header.next(UInt32.self), let uncompressed = header.next(UInt32.self),
            let nameLength = header.next(UInt16.self), let extraLength = header.next(UInt16.self)
        else { throw broken("There is no local header at offset \(start).") }
        guard Int(widened: nameLength) == record.nameBytes.count,
            header.next(count: Int(widened: nameLength))?.elementsEqual(record.nameBytes) == true
        else { throw broken("The local header has another name.") }
        // Encryption, descriptor, patch, names in UTF-8: the other bits are hints.
        guard flags & 0x2869 == record.flags & 0x2869, method == entry.method.rawValue else {
            throw broken("The local header has other flags or another compression method.")
        }
        guard
            let extraPlace = Checked.range(start + fixed, count: Int(widened: extraLength), in: 0..<limit),
            let data = Checked.range(extraPlace.upperBound, count: entry.compressedSize, in: 0..<limit)
        else {
            throw broken("The entry's \(entry.compressedSize) bytes run into the directory (\(limit)).")
        }
        entry.dataOffset = data.lowerBound
        let dataEnd = data.upperBound
        let extra =
            try header.next(count: Int(widened: extraLength)).map { Array($0) }
            ?? file.bytes(at: extraPlace.lowerBound, count: extraPlace.count)
        var zip64 = try ZipExtraFields.zip64(in: extra[...], entry: entry.name)
        let size = try ZipExtraFields.resolve(uncompressed, &zip64, entry: entry.name)
        let compressedSize = try ZipExtraFields.resolve(compressed, &zip64, entry: entry.name)
        let hasDescriptor = flags & 0x8 != 0
        try ZipExtraFields.checkRest(zip64, fields: [uncompressed, compressed], entry: entry.name)
        let matches = crc32 == entry.crc32 && size == entry.size && compressedSize == entry.compressedSize
        // With a descriptor the local fields may be left zero (or be zip64's marks, with no field).
        let leftOpen =
            hasDescriptor && crc32 == 0 && (size == 0 || uncompressed == .max)
            && (compressedSize == 0 || compressed == .max)
        guard matches || leftOpen else {
            throw broken("The local header has another checksum or size than the directory.")
        }
        guard hasDescriptor else { return (entry, dataEnd) }
        let (offset, end) = try descriptor(of: entry, at: dataEnd)
        entry.descriptorCRCOffset = offset
        return (entry, end)
    }

    /// Where the descriptor's CRC-32 and its end lie. Its signature is optional, its sizes have 4 or 8 bytes.
    private func descriptor(of entry: ZipEntry, at start: Int) throws -> (Int, Int) {
        let bytes = try file.bytes(at: start, count: min(24, limit - start))
        for hasSignature in [true, false] {
            for wide in [false, true] {
                var reader = LittleEndian(bytes[...])
                if hasSignature, reader.next(UInt32.self) != 0x0807_4B50 { continue }
                let offset = start + reader.position
                guard reader.next(UInt32.self) == entry.crc32 else { continue }
                let sizes =
                    wide
                    ? [reader.next(UInt64.self), reader.next(UInt64.self)]
                    : [reader.next(UInt32.self).map(UInt64.init), reader.next(UInt32.self).map(UInt64.init)]
                if sizes == [UInt64(entry.compressedSize), UInt64(entry.size)] {
                    return (offset, start + reader.position)
                }
            }
        }
        throw ZipFault.entry.problem(
            "The data descriptor behind the entry is missing or contradicts the directory.", entry: entry.name
        )
    }
}
