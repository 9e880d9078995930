import CZlib
import Support

/// A zip archive whose whole structure has been checked. Nothing is decompressed.
///
/// Stricter than the format: one reading only is possible of an archive that passes. The end record, its
/// zip64 form, the central directory, local headers and data descriptors agree; entries do not overlap;
/// names are unique, relative and plain; there are no links and no encryption.
public struct ZipArchive: Sendable {
    public let file: RandomAccessFile
    /// In the order of the central directory.
    public let entries: [ZipEntry]
    private let indices: [String: Int]

    public var path: String { file.path }

    /// Opens the file at `path` and checks its end record, central directory and local headers.
    /// - Throws: `Problem` (`zip-…`) that names the entry.
    public init(path: String, limits: ZipLimits = ZipLimits()) throws {
        try self.init(file: RandomAccessFile(path: path), limits: limits)
    }

    /// - Throws: `Problem` (`zip-…`) that names the entry.
    public init(file: RandomAccessFile, limits: ZipLimits = ZipLimits()) throws {
        let end = try ZipEndRecord.locate(in: file)
        let records = try ZipCentralDirectory.read(file, end, limits)
        var indices: [String: Int] = [:]
        indices.reserveCapacity(records.count)
        for (index, record) in records.enumerated() {
            // A folder and a file of one name are one name too.
            let key = record.entry.isDirectory ? String(record.entry.name.dropLast()) : record.entry.name
            guard indices.updateValue(index, forKey: key) == nil else {
                throw ZipFault.duplicate.problem("The name stands in the directory twice.", entry: key)
            }
        }
        let headers = ZipLocalHeader(file: file, limit: end.directoryOffset)
        var located: [ZipEntry] = []
        located.reserveCapacity(records.count)
        var spans: [(start: Int, end: Int, index: Int)] = []
        spans.reserveCapacity(records.count)
        for (index, record) in records.enumerated() {
            let (entry, end) = try headers.locate(record)
            located.append(entry)
            spans.append((entry.localHeaderOffset, end, index))
        }
        spans.sort { $0.start < $1.start }
        for (first, second) in zip(spans, spans.dropFirst()) where first.end > second.start {
            throw ZipFault.overlap.problem(
                "The entry begins at \(second.start), inside “\(located[first.index].name)”.",
                entry: located[second.index].name)
        }
        // A reader that goes from header to header finds what lies between, and one that begins at the front what is there.
        var (position, neighbour) = (0, located.first?.name)
        for place in spans + [(end.directoryOffset, end.directoryOffset, -1)] {
            if place.index >= 0, position == 0 { neighbour = located[place.index].name }
            guard place.start == position else {
                throw ZipFault.ambiguous.problem(
                    "\(place.start - position) bytes from \(position) on, beside this entry, belong to none.",
                    entry: neighbour)
            }
            position = place.end
            if place.index >= 0 { neighbour = located[place.index].name }
        }
        self.file = file
        self.indices = indices
        entries = located
    }

    /// The file entry of this name; nil where there is none.
    public subscript(name: String) -> ZipEntry? {
        guard let index = indices[name], !entries[index].isDirectory else { return nil }
        return entries[index]
    }

    /// The whole of a STORED entry, its CRC-32 checked.
    /// - Throws: `Problem` for a compressed entry, one of more than `limit` bytes, or a wrong CRC-32.
    public func contents(of entry: ZipEntry, limit: Int) throws -> [UInt8] {
        try requireStored(entry)
        guard entry.size <= limit else {
            throw ZipFault.limit.problem(
                "The entry has \(entry.size) bytes; at most \(limit) are allowed.", entry: entry.name)
        }
        let bytes = try file.bytes(at: entry.dataOffset, count: entry.size)
        var checksum = Checksum()
        bytes.withUnsafeBytes { checksum.update($0) }
        try require(checksum, entry)
        return bytes
    }

    /// Reads a STORED entry piece by piece and compares its CRC-32.
    /// - Throws: `Problem` `zip-checksum`.
    public func verifyChecksum(of entry: ZipEntry) throws {
        try requireStored(entry)
        var checksum = Checksum()
        try file.forEachPiece(at: entry.dataOffset, count: entry.size) { checksum.update($0) }
        try require(checksum, entry)
    }

    private func requireStored(_ entry: ZipEntry) throws {
        guard entry.method == .stored else {
            throw ZipFault.method.problem(
                "The entry is compressed; here it has to be stored.", entry: entry.name)
        }
    }

    private func require(_ checksum: Checksum, _ entry: ZipEntry) throws {
        guard checksum.value == entry.crc32 else {
            throw ZipFault.checksum.problem(
                "CRC-32 \(hexadecimal(entry.crc32)) is recorded, \(hexadecimal(checksum.value)) found.",
                entry: entry.name)
        }
    }

    private func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}

/// The CRC-32 of zip, computed piece by piece.
public struct Checksum: Sendable {
    public private(set) var value: UInt32 = 0

    public init() {}

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        value = UInt32(
            truncatingIfNeeded: crc32_z(uLong(value), base.assumingMemoryBound(to: Bytef.self), bytes.count))
    }
}

extension RandomAccessFile {
    // bounded: each piece lies in the range, which is compared with the file before it is read.
    /// Calls `body` with the bytes of a range, at most 256 KiB at a time.
    public func forEachPiece(
        at offset: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let length = min(count, 1 << 18)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 16)
        defer { buffer.deallocate() }
        var done = 0
        while done < count {
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(length, count - done)])
            try read(at: offset + done, into: piece)
            try body(UnsafeRawBufferPointer(piece))
            done += piece.count
        }
    }
}
