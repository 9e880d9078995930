import Support

/// What a file is by its first bytes.
enum ContainerFormat: String, CaseIterable, Sendable {
    case zip, tar, gzip, xz, zstd, parquet

    /// Bytes needed to tell: a tar header's magic stands at 257.
    static let headLength = 262

    /// At both ends of a Parquet file.
    static let parquetMark = Array("PAR1".utf8)

    /// - Parameter head: the first `headLength` bytes, fewer for a shorter file.
    init?(head: [UInt8]) {
        if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) || head.starts(with: [0x50, 0x4B, 0x05, 0x06]) {
            self = .zip
        } else if head.starts(with: [0x1F, 0x8B, 0x08]) {
            self = .gzip
        } else if head.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) {
            self = .xz
        } else if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
            self = .zstd
        } else if head.starts(with: Self.parquetMark) {
            self = .parquet
        } else if head.count >= Self.headLength, head[257..<262].elementsEqual("ustar".utf8) {
            self = .tar
        } else {
            return nil
        }
    }

    /// - Throws: `Problem` (415) unless `head` begins an archive that data sets come in.
    static func requireArchive(head: [UInt8]) throws {
        guard ContainerFormat(head: head) == nil else { return }
        // safetensors: the length of a header that begins with a brace.
        if head.count > 8, head[8] == UInt8(ascii: "{"), head[6] == 0, head[7] == 0 { return }
        throw Problem(
            .unsupportedFormat, code: "dataset-format-unknown",
            title: "The file is no data set archive",
            detail:
                "It begins with \(describe(head)), which is none of zip (npz), tar, gzip, xz, zstd, Parquet and safetensors.",
            fix: "Pack the image folders, one per class, for example: tar -czf dataset.tar.gz -C DIR .")
    }

    private static func describe(_ head: [UInt8]) -> String {
        let shown = head.prefix(8).map { [$0].hexadecimal }
        return "the bytes " + shown.joined(separator: " ")
    }
}
