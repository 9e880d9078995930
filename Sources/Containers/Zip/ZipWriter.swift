// bounded in this file: numbers are sizes of checked entries, and places in the file that is written.
import Foundation
import Support

/// Writes a zip archive of stored entries, as PyTorch does: sizes beyond 4 GiB in zip64 fields, the data of each entry at
/// a multiple of 64 bytes. Format: PKWARE APPNOTE 6.3.
public struct ZipWriter: ~Copyable {
    private struct Record {
        var name: [UInt8]
        var crc32: UInt32
        var size: Int
        var headerOffset: Int
    }

    private static let alignment = 64
    /// Of PyTorch's, for the padding of a local header.
    private static let paddingField: UInt16 = 0x4246
    private static let zip64Field: UInt16 = 0x0001

    private let descriptor: Int32
    private let path: String
    private var position = 0
    private var records: [Record] = []

    /// - Parameter path: a new file, of its owner alone; it must not be there.
    public init(path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("create", path) }
    }

    deinit { close(descriptor) }

    /// Adds an entry whose bytes lie in `file`.
    public mutating func add(_ name: String, from file: RandomAccessFile, at offset: Int, count: Int) throws {
        var checksum = Checksum()
        try file.forEachPiece(at: offset, count: count) { checksum.update($0) }
        try begin(name, checksum.value, count)
        var place = position
        try file.forEachPiece(at: offset, count: count) { piece in
            try write(piece, at: place)
            place += piece.count
        }
        position = place
    }

    /// Adds an entry with these bytes.
    public mutating func add(_ name: String, _ bytes: [UInt8]) throws {
        var checksum = Checksum()
        bytes.withUnsafeBytes { checksum.update($0) }
        try begin(name, checksum.value, bytes.count)
        try append(bytes)
    }

    private mutating func begin(_ name: String, _ crc32: UInt32, _ size: Int) throws {
        let record = Record(name: Array(name.utf8), crc32: crc32, size: size, headerOffset: position)
        records.append(record)
        let isLarge = size > Int(UInt32.max) - 1
        var extra: [UInt8] = []
        if isLarge {
            extra.add(Self.zip64Field)
            extra.add(UInt16(16))
            extra.add(UInt64(size))
            extra.add(UInt64(size))
        }
        let end = position + 30 + record.name.count + extra.count + 4
        let padding = (Self.alignment - end % Self.alignment) % Self.alignment
        extra.add(Self.paddingField)
        extra.add(UInt16(padding))
        extra += [UInt8](repeating: 0, count: padding)
        var header: [UInt8] = []
        header.add(UInt32(0x0403_4B50))
        header.add(Self.common(record, isLarge: isLarge))
        header.add(UInt16(record.name.count))
        header.add(UInt16(extra.count))
        try append(header + record.name + extra)
    }

    /// What the local header and the central record share, from the version to the sizes.
    private static func common(_ record: Record, isLarge: Bool) -> [UInt8] {
        var fields: [UInt8] = []
        fields.add(UInt16(isLarge ? 45 : 20))
        // Names are UTF-8; stored; the first day of the format's calendar.
        for value in [UInt16(0x0800), 0, 0, 0x0021] { fields.add(value) }
        fields.add(record.crc32)
        for _ in 0..<2 { fields.add(isLarge ? UInt32.max : UInt32(record.size)) }
        return fields
    }

    /// Writes the directory; durable when it returns.
    public mutating func finish() throws {
        let start = position
        for record in records { try append(Self.central(record)) }
        let size = position - start
        let end = position
        var tail: [UInt8] = []
        let isLarge = start >= Int(UInt32.max) || size >= Int(UInt32.max) || records.count >= Int(UInt16.max)
        if isLarge {
            tail.add(UInt32(0x0606_4B50))
            tail.add(UInt64(44))
            for version in [UInt16(45), 45] { tail.add(version) }
            for disk in [UInt32(0), 0] { tail.add(disk) }
            for value in [records.count, records.count, size, start] { tail.add(UInt64(value)) }
            tail.add(UInt32(0x0706_4B50))
            tail.add(UInt32(0))
            tail.add(UInt64(end))
            tail.add(UInt32(1))
        }
        tail.add(UInt32(0x0605_4B50))
        for disk in [UInt16(0), 0] { tail.add(disk) }
        for _ in 0..<2 { tail.add(isLarge ? UInt16.max : UInt16(records.count)) }
        tail.add(isLarge ? UInt32.max : UInt32(size))
        tail.add(isLarge ? UInt32.max : UInt32(start))
        tail.add(UInt16(0))
        try append(tail)
        guard fsync(descriptor) == 0 else {
            throw Self.failure("write", path)
        }
    }

    private static func central(_ record: Record) -> [UInt8] {
        let isLarge = record.size > Int(UInt32.max) - 1
        let isFar = record.headerOffset > Int(UInt32.max) - 1
        var values: [UInt64] = isLarge ? [UInt64(record.size), UInt64(record.size)] : []
        if isFar { values.append(UInt64(record.headerOffset)) }
        var extra: [UInt8] = []
        if !values.isEmpty {
            extra.add(zip64Field)
            extra.add(UInt16(values.count * 8))
            for value in values { extra.add(value) }
        }
        var fields: [UInt8] = []
        fields.add(UInt32(0x0201_4B50))
        fields.add(UInt16(isLarge || isFar ? 45 : 20))
        fields.add(common(record, isLarge: isLarge))
        fields.add(UInt16(record.name.count))
        fields.add(UInt16(extra.count))
        // Comment, disk, attributes.
        for _ in 0..<3 { fields.add(UInt16(0)) }
        fields.add(UInt32(0))
        fields.add(isFar ? UInt32.max : UInt32(record.headerOffset))
        return fields + record.name + extra
    }

    private mutating func append(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write($0, at: position) }
        position += bytes.count
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        guard writeWhole(bytes, to: descriptor, at: offset) else { throw Self.failure("write", path) }
    }

    private static func failure(_ action: String, _ path: String) -> Problem {
        let code = errno
        return Problem(
            code == ENOSPC || code == EDQUOT ? .insufficientStorage : .internal, code: "archive-not-written",
            title: "The archive cannot be written",
            detail:
                "Cannot \(action) \((path as NSString).lastPathComponent): \(String(cString: strerror(code)))",
            fix: "Free disk space, or name a folder that you may write to.")
    }
}

extension [UInt8] {
    /// Little-endian, as all numbers of the format.
    fileprivate mutating func add(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func add(_ bytes: [UInt8]) { self += bytes }
}

/// Writes all of `bytes` at `offset`.
/// - Returns: false where that failed; `errno` says why.
public func writeWhole(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int) -> Bool {
    var done = 0
    while done < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
        let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        done += count
    }
    return true
}
