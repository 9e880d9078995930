import Containers

/// Builds zip archives byte by byte, whole ones and ones that lie.
public struct ZipBuilder: Sendable {
    /// The fields of one header, to be set apart for the local header and the central record.
    public struct Header: Sendable {
        public var name: [UInt8]
        public var flags: UInt16 = 0
        public var method: UInt16 = 0
        public var crc32: UInt32
        public var compressedSize: UInt32
        public var size: UInt32
        public var extra: [UInt8] = []
        /// Central record only.
        public var attributes: UInt32 = 0
        public var disk: UInt16 = 0
        /// Nil: where the local header really is.
        public var offset: UInt32?
    }

    public struct Entry: Sendable {
        public var data: [UInt8]
        public var local: Header
        public var central: Header
        /// Follows the data.
        public var trailer: [UInt8] = []

        public init(_ name: String, _ data: [UInt8]) {
            var checksum = Checksum()
            data.withUnsafeBytes { checksum.update($0) }
            self.data = data
            local = Header(
                name: Array(name.utf8), crc32: checksum.value, compressedSize: UInt32(data.count),
                size: UInt32(data.count))
            central = local
        }

        public init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }

        /// Changes both headers alike.
        public mutating func both(_ change: (inout Header) -> Void) {
            change(&local)
            change(&central)
        }

        /// Moves sizes and checksum behind the data.
        public mutating func useDescriptor(signature: Bool = true, wide: Bool = false) {
            both { $0.flags |= 8 }
            trailer = signature ? bytes(UInt32(0x0807_4B50)) : []
            trailer += bytes(local.crc32)
            for size in [local.compressedSize, local.size] {
                trailer += wide ? bytes(UInt64(size)) : bytes(size)
            }
            local.crc32 = 0
            local.compressedSize = 0
            local.size = 0
        }
    }

    /// The end record's fields, and those of zip64 where `usesZip64`.
    public struct End {
        public var disk: UInt16 = 0
        public var entries: UInt64
        public var entriesHere: UInt64
        public var size: UInt64
        public var offset: UInt64
        public var comment: [UInt8] = []
        public var usesZip64 = false
        public var zip64Offset: UInt64
        public var zip64Length: UInt64 = 44
    }

    public var entries: [Entry]

    public init(_ entries: [Entry] = []) { self.entries = entries }

    /// - Parameter change: of the end record, before it is written.
    public func build(_ change: (inout End) -> Void = { _ in }) -> [UInt8] {
        var file: [UInt8] = []
        var offsets: [UInt32] = []
        for entry in entries {
            offsets.append(UInt32(file.count))
            file += bytes(UInt32(0x0403_4B50)) + bytes(UInt16(20)) + common(entry.local)
            file += entry.local.name + entry.local.extra + entry.data + entry.trailer
        }
        let start = file.count
        for (entry, offset) in zip(entries, offsets) {
            let header = entry.central
            file += bytes(UInt32(0x0201_4B50)) + bytes(UInt16(20)) + bytes(UInt16(20)) + common(header)
            file += bytes(UInt16(0)) + bytes(header.disk) + bytes(UInt16(0)) + bytes(header.attributes)
            file += bytes(header.offset ?? offset) + header.name + header.extra
        }
        var end = End(
            entries: UInt64(entries.count), entriesHere: UInt64(entries.count),
            size: UInt64(file.count - start),
            offset: UInt64(start), zip64Offset: UInt64(file.count))
        change(&end)
        if end.usesZip64 {
            file +=
                bytes(UInt32(0x0606_4B50)) + bytes(end.zip64Length) + bytes(UInt16(45)) + bytes(UInt16(45))
            file += bytes(UInt32(0)) + bytes(UInt32(0)) + bytes(end.entriesHere) + bytes(end.entries)
            file += bytes(end.size) + bytes(end.offset)
            file += bytes(UInt32(0x0706_4B50)) + bytes(UInt32(0)) + bytes(end.zip64Offset) + bytes(UInt32(1))
        }
        file += bytes(UInt32(0x0605_4B50)) + bytes(end.disk) + bytes(UInt16(0))
        file += bytes(end.usesZip64 ? .max : UInt16(truncatingIfNeeded: end.entriesHere))
        file += bytes(end.usesZip64 ? .max : UInt16(truncatingIfNeeded: end.entries))
        file += bytes(end.usesZip64 ? .max : UInt32(truncatingIfNeeded: end.size))
        file += bytes(end.usesZip64 ? .max : UInt32(truncatingIfNeeded: end.offset))
        return file + bytes(UInt16(end.comment.count)) + end.comment
    }

    /// The fields that both headers share, from the flags to the length of the extra field.
    private func common(_ header: Header) -> [UInt8] {
        bytes(header.flags) + bytes(header.method) + bytes(UInt32(0)) + bytes(header.crc32)
            + bytes(header.compressedSize) + bytes(header.size) + bytes(UInt16(header.name.count))
            + bytes(UInt16(header.extra.count))
    }
}

/// Little-endian bytes.
public func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// A small generator with a seed, so that failures repeat (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
