import Foundation
import ImageCodecs
import Support

/// The archive formats that are read, told apart by content.
enum ArchiveFormat: String {
    case zip
    case tar
    case tarGzip = "tar.gz"
    case tarXZ = "tar.xz"
    case tarZstandard = "tar.zst"

    static let supported =
        "zip, tar, tar.gz, tar.xz and tar.zst archives of image folders (one folder per class), WebDataset shards, "
        + "CIFAR, IDX or Parquet files or images with a manifest, npz, Parquet and safetensors"

    /// - Parameter head: the first bytes of the file, 512 where it has as many.
    /// - Throws: `dataset-format-unsupported`, which says what the file seems to be.
    static func detect(_ head: [UInt8], path: String) throws -> ArchiveFormat {
        if head.starts(with: [0x50, 0x4b, 3, 4]) || head.starts(with: [0x50, 0x4b, 5, 6]) { return .zip }
        if head.starts(with: [0x1f, 0x8b]) { return .tarGzip }
        if head.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]) { return .tarXZ }
        if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return .tarZstandard }
        if isTarHeader(head) { return .tar }
        throw unsupported(head.isEmpty ? "The file is empty." : "This is \(guess(head)).", path: path)
    }

    static func unsupported(_ detail: String, path: String) -> Problem {
        Problem(
            .unsupportedFormat, code: "dataset-format-unsupported",
            title: "The data set's format is not supported", detail: detail, location: path,
            fix: "Supported are \(supported); the images are \(ImageFormat.names).")
    }

    /// POSIX.1: bytes 148 to 155 hold, in octal, the sum of the header's bytes with those eight as spaces.
    private static func isTarHeader(_ head: [UInt8]) -> Bool {
        guard head.count >= 512, head.contains(where: { $0 != 0 }) else { return false }
        let digits = head[148..<156].drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
        guard let stated = Int(String(decoding: digits, as: UTF8.self), radix: 8) else { return false }
        let unsigned = head[..<512].enumerated().reduce(0) { sum, byte in
            sum + ((148..<156).contains(byte.offset) ? 0x20 : Int(byte.element))
        }
        return stated == unsigned
    }

    private static func guess(_ head: [UInt8]) -> String {
        let known: [([UInt8], String)] = [
            (Array("Rar!".utf8), "a RAR archive"),
            ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7z archive"),
            (Array("BZh".utf8), "a bzip2 file"),
            ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"),
            ([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], "a NumPy array file"),
            (Array("ARROW1".utf8), "an Arrow file"), (Array("PARE".utf8), "an encrypted Parquet file"),
            ([0x89, 0x50, 0x4e, 0x47], "a single PNG image"),
            ([0xff, 0xd8, 0xff], "a single JPEG image"), (Array("GIF8".utf8), "a single GIF image"),
            ([0x49, 0x49, 42, 0], "a single TIFF image"), ([0x4d, 0x4d, 0, 42], "a single TIFF image"),
            (Array("PK".utf8), "a part of a split zip archive"),
            ([0x80, 2], "a Python pickle"), ([0x80, 3], "a Python pickle"), ([0x80, 4], "a Python pickle"),
            ([0x80, 5], "a Python pickle"),
        ]
        return known.first { head.starts(with: $0.0) }?.1 ?? "no archive that is known here"
    }
}
