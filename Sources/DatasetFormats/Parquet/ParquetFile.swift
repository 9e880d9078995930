import CParquet
import Foundation
import Support

// bounded in this file: lengths of what the library holds in memory, under its limit.

/// A Parquet file, read through Apache's library row by row, in memory that depends on its pages and not on its
/// size. Used by one thread.
final class ParquetFile {
    struct Column {
        enum Kind {
            case number, text
            /// Numbers with a point.
            case real
            /// Image files as they are.
            case files
            /// Lists of numbers, one to three deep.
            case pixels
            case other
        }

        let name: String
        let kind: Kind
        /// As the library writes it.
        let type: String
    }

    struct Row {
        /// Lengths of the lists, from the outermost on; empty for an image file.
        var shape: [Int]
        /// Bytes that were appended; nil where the cell has no content.
        var byteCount: Int?
        /// A file that the cell names.
        var path: String?
        var label: Label?
    }

    enum Label: Hashable {
        case number(Int)
        case text(String)
    }

    /// What reading may take beside what the footer says of the file: a page and a batch of rows.
    private static let memoryLimit = 512 << 20

    /// For messages.
    let name: String
    let columns: [Column]
    let rowCount: Int
    private let file: FileHandle
    private let handle: OpaquePointer

    /// - Parameter file: open from its beginning to its end.
    /// - Throws: `Problem` `parquet-damaged`, `parquet-too-large`.
    init(_ file: FileHandle, name: String) throws {
        var status = stat()
        guard fstat(file.fileDescriptor, &status) == 0 else {
            throw Self.problem(Int32(CPARQUET_UNREADABLE), String(cString: strerror(errno)), name)
        }
        var opened: OpaquePointer?
        try Self.check(
            cparquet_open(file.fileDescriptor, Int64(status.st_size), Int64(Self.memoryLimit), &opened), name)
        guard let opened else { throw Self.problem(Int32(CPARQUET_DAMAGED), "It was not opened.", name) }
        self.file = file
        self.name = name
        handle = opened
        rowCount = Int(cparquet_row_count(opened))
        columns = (0..<cparquet_column_count(opened)).map { index in
            let column = cparquet_column_at(opened, index)
            let kind: Column.Kind =
                switch Int(column.kind) {
                case Int(CPARQUET_NUMBER): .number
                case Int(CPARQUET_TEXT): .text
                case Int(CPARQUET_REAL): .real
                case Int(CPARQUET_FILE): .files
                case Int(CPARQUET_PIXELS): .pixels
                default: .other
                }
            return Column(
                name: Self.text(column.name, column.name_length), kind: kind,
                type: Self.text(column.type, column.type_length))
        }
    }

    deinit { cparquet_close(handle) }

    /// A value of the file's own metadata.
    func metadata(_ key: String) -> [UInt8]? {
        var count = 0
        guard let bytes = cparquet_metadata(handle, key, &count) else { return nil }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// Chooses what `next` reads, from the first row on.
    func begin(image: Int, label: Int) throws {
        try Self.check(cparquet_begin(handle, Int32(image), Int32(label)), name)
    }

    /// The next row; its image is appended to `bytes`.
    /// - Parameter limit: on the bytes of one image.
    /// - Throws: `Problem` `entry-too-large` beside the others.
    func next(into bytes: inout [UInt8], limit: Int, place: @autoclosure () -> String) throws -> Row? {
        var row = cparquet_row()
        var isAtEnd = false
        try Self.check(cparquet_next(handle, &row, &isAtEnd), place())
        if isAtEnd { return nil }
        guard row.count <= limit else { throw ImportProblems.entryTooLarge(place(), limit) }
        // The library's pointers hold until the next call.
        if let content = row.bytes { bytes += UnsafeBufferPointer(start: content, count: row.count) }
        let shape = [row.shape.0, row.shape.1, row.shape.2].prefix(Int(row.rank)).map { Int($0) }
        var label: Label?
        if row.has_label {
            label = row.text.map { .text(Self.text($0, row.text_length)) } ?? .number(Int(row.number))
        }
        return Row(
            shape: shape, byteCount: row.bytes == nil ? nil : row.count,
            path: row.path.map { Self.text($0, row.path_length) }, label: label)
    }

    /// Text of the file: what is no UTF-8 in it is replaced.
    private static func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
        guard let start else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    private static func check(_ status: cparquet_status, _ place: String) throws {
        guard status.code != CPARQUET_OK else { return }
        defer { cparquet_free(status.message) }
        throw problem(
            status.code, status.message.map { String(cString: $0) } ?? "no reason is given", place)
    }

    private static func problem(_ code: Int32, _ reason: String, _ place: String) -> Problem {
        switch Int(code) {
        case Int(CPARQUET_TOO_LARGE):
            Problem(
                .tooLarge, code: "parquet-too-large", title: "A part of the Parquet file is too large",
                detail: "Reading it takes more than \(memoryLimit) bytes at a time: \(reason).",
                location: place,
                fix:
                    "Write it with smaller row groups: pyarrow.parquet.write_table(table, path, row_group_size=100)."
            )
        case Int(CPARQUET_UNREADABLE):
            Problem(
                .internal, code: "file-access-failed", title: "A file could not be used",
                detail: "Reading failed: \(reason).", location: place)
        case Int(CPARQUET_LABEL): Labels.notWhole(reason, place)
        default:
            Problem(
                .malformed, code: "parquet-damaged", title: "The Parquet file is damaged",
                detail: "Reading it failed: \(reason).", location: place,
                fix: "Compare its size and checksum with the original's, or write it again.")
        }
    }
}
