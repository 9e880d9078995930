import Containers
import Foundation
import Support
import WorkerProtocol

/// The structure of a data set's file, before it is unpacked: of a zip the whole, of a Parquet file its end.
public enum ArchiveStructure {
    private static let parquetMark = Array("PAR1".utf8)

    /// - Throws: `Problem` `zip-…`, `parquet-damaged`.
    public static func check(_ path: String) throws {
        let file = try RandomAccessFile(path: path)
        let head = try file.bytes(at: 0, count: min(file.size, 4))
        if head == [0x50, 0x4B, 3, 4] || head == [0x50, 0x4B, 5, 6] { return try checkZip(file) }
        if head == parquetMark { try requireFooter(file) }
    }

    /// A million entries are not held in memory here: of such an archive the directory is read through, and the import
    /// finds the rest.
    private static func checkZip(_ file: RandomAccessFile) throws {
        let limits = ZipLimits()
        guard try ZipArchive.entryCount(file) > limits.maximumEntries else {
            _ = try ZipArchive(file: file, limits: limits)
            return
        }
        let large = ZipLimits(
            maximumEntries: 2 * ImportLimits().maximumImages + 100_000, maximumDirectoryBytes: 4 << 30)
        _ = try ZipArchive.scan(file, limits: large)
    }

    /// A Parquet file that was cut off lacks the mark at its end.
    private static func requireFooter(_ file: RandomAccessFile) throws {
        let tail = try file.bytes(at: file.size - min(file.size, 8), count: min(file.size, 8))
        let length = tail.prefix(4).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard tail.count == 8, tail.suffix(4) == parquetMark, length <= UInt64(file.size - min(file.size, 12))
        else {
            throw Problem(
                .malformed, code: "parquet-damaged", title: "The Parquet file is damaged",
                detail: "It may be cut off: the footer at its end is missing.",
                fix: "Compare its size and checksum with the original's.")
        }
    }
}
