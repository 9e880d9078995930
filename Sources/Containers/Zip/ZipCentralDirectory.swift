import Support

// bounded in this file: places in the directory, which lies in the file, and counts under the limits.

/// One record of the central directory, its names and sizes checked, its local header not yet.
struct ZipCentralRecord {
    var entry: ZipEntry
    var nameBytes: [UInt8]
    var flags: UInt16
}

/// Reads the central directory in windows of bounded size.
struct ZipCentralDirectory {
    private static let headerLength = 46
    private static let window = 1 << 16

    private let file: RandomAccessFile
    private let limits: ZipLimits
    private let end: Int
    private var buffer: [UInt8] = []
    private var bufferOffset: Int
    private var offset: Int

    static func read(
        _ file: RandomAccessFile, _ end: ZipEndRecord, _ limits: ZipLimits
    ) throws -> [ZipCentralRecord] {
        var records: [ZipCentralRecord] = []
        try forEach(file, end, limits) { records.append($0) }
        return records
    }

    /// One record after the other.
    static func forEach(
        _ file: RandomAccessFile, _ end: ZipEndRecord, _ limits: ZipLimits,
        _ body: (ZipCentralRecord) throws -> Void
    ) throws {
        guard end.entryCount <= limits.maximumEntries else {
            throw ZipFault.limit.problem(
                "The archive has \(end.entryCount) entries; at most \(limits.maximumEntries) are allowed.")
        }
        guard end.directorySize <= limits.maximumDirectoryBytes else {
            throw ZipFault.limit.problem(
                "The directory has \(end.directorySize) bytes; at most \(limits.maximumDirectoryBytes) are "
                    + "allowed.")
        }
        guard end.entryCount <= end.directorySize / headerLength else {
            throw ZipFault.directory.problem(
                "\(end.entryCount) entries do not fit into a directory of \(end.directorySize) bytes.")
        }
        var directory = ZipCentralDirectory(file: file, limits: limits, end)
        var total = 0
        for _ in 0..<end.entryCount {
            let record = try directory.next()
            let (sum, overflow) = total.addingReportingOverflow(record.entry.size)
            guard !overflow, sum <= limits.maximumTotalSize else {
                throw ZipFault.limit.problem(
                    "The entries unpack to more than \(limits.maximumTotalSize) bytes.",
                    entry: record.entry.name)
            }
            total = sum
            try body(record)
        }
        guard directory.offset == directory.end else {
            throw ZipFault.directory.problem(
                "\(directory.end - directory.offset) bytes follow the last of \(end.entryCount) entries.")
        }
    }

    private init(file: RandomAccessFile, limits: ZipLimits, _ record: ZipEndRecord) {
        self.file = file
        self.limits = limits
        offset = record.directoryOffset
        bufferOffset = record.directoryOffset
        end = record.directoryOffset + record.directorySize
    }

    /// The next `count` bytes of the directory.
    private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count <= end - offset else {
            throw ZipFault.directory.problem("The directory is cut short at offset \(offset).")
        }
        if offset + count > bufferOffset + buffer.count {
            buffer = try file.bytes(at: offset, count: min(end - offset, max(count, Self.window)))
            bufferOffset = offset
        }
        defer { offset += count }
        return buffer[offset - bufferOffset..<offset - bufferOffset + count]
    }

    private mutating func next() throws -> ZipCentralRecord {
        let recordOffset = offset
        var header = LittleEndian(try take(Self.headerLength))
        guard header.next(UInt32.self) == 0x0201_4B50, header.next(UInt32.self) != nil,
            let flags = header.next(UInt16.self), let method = header.next(UInt16.self),
            header.next(UInt32.self) != nil, let crc32 = header.next(UInt32.self),
            let compressed = header.next(UInt32.self), let uncompressed = header.next(UInt32.self),
            let nameLength = header.next(UInt16.self), let extraLength = header.next(UInt16.self),
            let commentLength = header.next(UInt16.self), let disk = header.next(UInt16.self),
            header.next(UInt16.self) != nil, let attributes = header.next(UInt32.self),
            let localOffset = header.next(UInt32.self)
        else { throw ZipFault.directory.problem("There is no entry record at offset \(recordOffset).") }
        let nameBytes = try take(Int(widened: nameLength))
        let name = try ZipEntryName.checked(nameBytes, limits: limits)
        let extra = try take(Int(widened: extraLength))
        var zip64 = try ZipExtraFields.zip64(in: extra, entry: name)
        let size = try ZipExtraFields.resolve(uncompressed, &zip64, entry: name)
        let compressedSize = try ZipExtraFields.resolve(compressed, &zip64, entry: name)
        let offset = try ZipExtraFields.resolve(localOffset, &zip64, entry: name)
        try ZipExtraFields.checkRest(
            zip64, fields: [uncompressed, compressed, localOffset], entry: name)
        _ = try take(Int(widened: commentLength))
        guard disk == 0 else { throw ZipFault.entry.problem("The entry is on another disk.", entry: name) }
        // Encryption, strong encryption, masked headers; patch data.
        guard flags & 0x2041 == 0 else {
            throw ZipFault.encrypted.problem("The entry is encrypted.", entry: name)
        }
        guard flags & 0x20 == 0 else { throw ZipFault.method.problem("The entry is a patch.", entry: name) }
        let entry = ZipEntry(
            name: name, method: ZipMethod(rawValue: method), compressedSize: compressedSize, size: size,
            crc32: crc32, dataOffset: 0, localHeaderOffset: offset, centralRecordOffset: recordOffset,
            descriptorCRCOffset: nil)
        try check(entry, attributes)
        return ZipCentralRecord(entry: entry, nameBytes: Array(nameBytes), flags: flags)
    }

    private func check(_ entry: ZipEntry, _ attributes: UInt32) throws {
        // The file type of Unix attributes: none, a regular file, a folder.
        switch attributes >> 28 {
        case 0, 0x8: break
        case 0x4 where entry.isDirectory: break
        case 0xA: throw ZipFault.link.problem("The entry is a symbolic link.", entry: entry.name)
        default:
            throw ZipFault.link.problem("The entry is a device or another special file.", entry: entry.name)
        }
        guard limits.methods.contains(entry.method) else {
            throw ZipFault.method.problem(
                "The method's number is \(entry.method.rawValue).", entry: entry.name)
        }
        if entry.isDirectory, entry.size != 0 {
            throw ZipFault.entry.problem("The entry is a folder with \(entry.size) bytes.", entry: entry.name)
        }
        if entry.method == .stored, entry.size != entry.compressedSize {
            throw ZipFault.entry.problem(
                "The entry is stored, and yet \(entry.compressedSize) bytes are to become \(entry.size).",
                entry: entry.name)
        }
        // Deflate makes at most 1,032 bytes of one.
        if entry.method == .deflated, entry.size / 1_032 > entry.compressedSize {
            throw ZipFault.entry.problem(
                "\(entry.compressedSize) bytes cannot unpack to \(entry.size).", entry: entry.name)
        }
    }
}
