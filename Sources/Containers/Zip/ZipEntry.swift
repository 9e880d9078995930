/// How an entry's bytes are compressed. Raw values are those of the zip format (APPNOTE 4.4.5).
public struct ZipMethod: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let stored = ZipMethod(rawValue: 0)
    public static let deflated = ZipMethod(rawValue: 8)
}

/// One checked entry of a zip archive. Offsets and sizes are in bytes and lie inside the file.
public struct ZipEntry: Hashable, Sendable {
    /// A relative path with `/` between its parts; ends with `/` for a folder.
    public var name: String
    public var method: ZipMethod
    public var compressedSize: Int
    public var size: Int
    public var crc32: UInt32
    /// Where the (compressed) data begins in the file.
    public var dataOffset: Int
    /// Where the local header begins.
    public var localHeaderOffset: Int
    /// Where the entry's record in the central directory begins.
    public var centralRecordOffset: Int
    /// Where the CRC-32 in the data descriptor behind the data lies; nil where there is no descriptor.
    public var descriptorCRCOffset: Int?

    public var isDirectory: Bool { name.utf8.last == UInt8(ascii: "/") }
}

/// Bounds on an archive, checked before anything is read by its counts.
public struct ZipLimits: Hashable, Sendable {
    public var maximumEntries: Int
    /// Bytes of one entry's name.
    public var maximumNameLength: Int
    /// Bytes of the central directory.
    public var maximumDirectoryBytes: Int
    /// Sum of the sizes of all entries after decompression, as declared.
    public var maximumTotalSize: Int
    public var methods: Set<ZipMethod>

    public init(
        maximumEntries: Int = 100_000, maximumNameLength: Int = 1_024,
        maximumDirectoryBytes: Int = 256 << 20, maximumTotalSize: Int = 1 << 40,
        methods: Set<ZipMethod> = [.stored, .deflated]
    ) {
        self.maximumEntries = maximumEntries
        self.maximumNameLength = maximumNameLength
        self.maximumDirectoryBytes = maximumDirectoryBytes
        self.maximumTotalSize = maximumTotalSize
        self.methods = methods
    }
}
