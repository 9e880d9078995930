import CImages

/// TIFF through libtiff: the first page.
enum TIFFCodec: CodecOfC, Sendable {
    static let name = "TIFF"
    static let extensions = ["tif", "tiff"]
    static let isLoadedUpright = true
    static let reader: Reader = { ctiff_read($0, $1, $2, $3, $4, $5) }

    /// Both byte orders, also of files beyond 4 GiB.
    static func recognises(_ head: some Collection<UInt8>) -> Bool {
        [[0x49, 0x49, 42, 0], [0x4d, 0x4d, 0, 42], [0x49, 0x49, 43, 0], [0x4d, 0x4d, 0, 43]]
            .contains { head.starts(with: $0 as [UInt8]) }
    }

    /// The file is made of the directories that EXIF has.
    static func exif(_ bytes: UnsafeRawBufferPointer) -> Range<Int>? { 0..<bytes.count }
}
