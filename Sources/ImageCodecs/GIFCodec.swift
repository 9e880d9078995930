import CImages

/// GIF through giflib: the first image.
enum GIFCodec: CodecOfC, Sendable {
    static let name = "GIF"
    static let extensions = ["gif"]
    static let reader: Reader = { cgif_read($0, $1, $2, $3, $4, $5) }

    static func recognises(_ head: some Collection<UInt8>) -> Bool {
        head.starts(with: "GIF87a".utf8) || head.starts(with: "GIF89a".utf8)
    }
}
