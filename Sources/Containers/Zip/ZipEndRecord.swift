import Support

// bounded in this file: places in a file of known size; what records say of others goes through `Checked`.

/// The end-of-central-directory record, with its zip64 form (APPNOTE 4.3.14 to 4.3.16).
struct ZipEndRecord {
    var entryCount: Int
    var directoryOffset: Int
    var directorySize: Int

    private static let length = 22
    private static let locatorLength = 20
    private static let longestComment = 65_535

    /// Finds the record and checks it, so that the directory lies inside the file, directly before it.
    static func locate(in file: RandomAccessFile) throws -> ZipEndRecord {
        guard file.size >= length else {
            throw ZipFault.endRecord.problem("\(file.size) bytes are fewer than any zip archive has.")
        }
        let tailLength = min(file.size, length + longestComment)
        let tail = try file.bytes(at: file.size - tailLength, count: tailLength)
        let positions = candidates(in: tail)
        guard let position = positions.first else {
            throw ZipFault.endRecord.problem("There is no end record whose comment ends with the file.")
        }
        guard positions.count == 1 else {
            throw ZipFault.endRecord.problem("There are \(positions.count) possible end records.")
        }
        // Others look for the last mark, whatever its comment's length.
        let comment = tail[(position + length)...]
        guard comment.firstRange(of: [0x50, 0x4B, 5, 6]) == nil else {
            throw ZipFault.ambiguous.problem("The archive's comment holds the mark of an end record.")
        }
        let endOffset = file.size - tailLength + position
        guard let fields = Fields(tail[position...]) else {
            throw ZipFault.endRecord.problem("The end record is cut short.")
        }
        guard fields.disk == 0, fields.directoryDisk == 0, fields.entriesHere == fields.entries else {
            throw ZipFault.endRecord.problem("The archive is one part of a multi-part archive.")
        }
        let (record, limit) =
            try zip64(in: file, endOffset: endOffset, fields)
            ?? (
                ZipEndRecord(
                    entryCount: Int(widened: fields.entries), directoryOffset: Int(widened: fields.offset),
                    directorySize: Int(widened: fields.size)), endOffset
            )
        guard Checked.sum(record.directoryOffset, record.directorySize) == limit else {
            throw ZipFault.endRecord.problem(
                "The directory (offset \(record.directoryOffset), \(record.directorySize) bytes) does not end "
                    + "where the end record begins (\(limit)).")
        }
        return record
    }

    private static func candidates(in tail: [UInt8]) -> [Int] {
        (0...tail.count - length).filter { position in
            guard tail[position] == 0x50, tail[position + 1] == 0x4B, tail[position + 2] == 5,
                tail[position + 3] == 6
            else { return false }
            let comment = Int(tail[position + 20]) | Int(tail[position + 21]) << 8
            return position + length + comment == tail.count
        }
    }

    private struct Fields {
        var disk: UInt16
        var directoryDisk: UInt16
        var entriesHere: UInt16
        var entries: UInt16
        var size: UInt32
        var offset: UInt32

        init?(_ bytes: ArraySlice<UInt8>) {
            var reader = LittleEndian(bytes)
            guard reader.next(UInt32.self) != nil, let disk = reader.next(UInt16.self),
                let directoryDisk = reader.next(UInt16.self), let entriesHere = reader.next(UInt16.self),
                let entries = reader.next(UInt16.self), let size = reader.next(UInt32.self),
                let offset = reader.next(UInt32.self)
            else { return nil }
            self.disk = disk
            self.directoryDisk = directoryDisk
            self.entriesHere = entriesHere
            self.entries = entries
            self.size = size
            self.offset = offset
        }
    }

    /// The zip64 record and its offset; nil where no locator stands before the end record.
    private static func zip64(
        in file: RandomAccessFile, endOffset: Int, _ fields: Fields
    ) throws -> (ZipEndRecord, Int)? {
        guard endOffset >= locatorLength else { return nil }
        let locatorOffset = endOffset - locatorLength
        var locator = LittleEndian(try file.bytes(at: locatorOffset, count: locatorLength)[...])
        guard locator.next(UInt32.self) == 0x0706_4B50 else { return nil }
        guard locator.next(UInt32.self) == 0, let offset = locator.next(UInt64.self),
            let disks = locator.next(UInt32.self), disks <= 1, let start = Int(exactly: offset),
            start <= locatorOffset - 56
        else { throw ZipFault.endRecord.problem("The zip64 locator points outside the archive.") }
        var record = LittleEndian(try file.bytes(at: start, count: 56)[...])
        guard record.next(UInt32.self) == 0x0606_4B50, let length = record.next(UInt64.self),
            length >= 44, length == UInt64(locatorOffset - start - 12), record.next(UInt32.self) != nil,
            record.next(UInt32.self) == 0, record.next(UInt32.self) == 0,
            let entriesHere = record.next(UInt64.self), let entries = record.next(UInt64.self),
            entriesHere == entries, let size = record.next(UInt64.self),
            let offset = record.next(UInt64.self),
            let count = Int(exactly: entries), let directorySize = Int(exactly: size),
            let directoryOffset = Int(exactly: offset)
        else { throw ZipFault.endRecord.problem("The zip64 end record is damaged.") }
        guard fields.entries == .max || UInt64(fields.entries) == entries,
            fields.size == .max || UInt64(fields.size) == size,
            fields.offset == .max || UInt64(fields.offset) == offset
        else { throw ZipFault.endRecord.problem("The zip64 end record contradicts the end record.") }
        return (
            ZipEndRecord(entryCount: count, directoryOffset: directoryOffset, directorySize: directorySize),
            start
        )
    }
}
