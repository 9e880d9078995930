import Foundation
import Support

/// A checkpoint: named columns of numbers in one file, complete or absent.
///
/// A line of JSON names the columns and their byte counts, their bytes follow in that order. Written beside
/// its place, synchronised, and renamed.
enum ColumnFile {
    private struct Header: Codable {
        struct Column: Codable {
            var name: String
            var bytes: Int
        }
        var columns: [Column]
    }

    static func write(_ columns: [(name: String, data: Data)], to path: String) throws {
        let header = Header(columns: columns.map { .init(name: $0.name, bytes: $0.data.count) })
        var content = try JSONEncoder().encode(header)
        content.append(UInt8(ascii: "\n"))
        for column in columns { content.append(column.data) }
        try DurableFile.write(content, to: path)
    }

    /// Nil when there is no such file, or it is not whole.
    static func read(_ path: String) throws -> [String: Data]? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let content = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        guard let newline = content.firstIndex(of: UInt8(ascii: "\n")),
            let header = try? JSONDecoder().decode(Header.self, from: content[..<newline])
        else { return nil }
        var columns: [String: Data] = [:]
        var start = newline + 1
        for column in header.columns {
            guard column.bytes >= 0, content.endIndex - start >= column.bytes else { return nil }
            columns[column.name] = content.subdata(in: start..<start + column.bytes)
            start += column.bytes
        }
        return columns
    }
}

extension [String: Data] {
    /// The column of this name; nil where there is none, or it has not `count` numbers.
    func column<Element: BitwiseCopyable>(_ name: String, count: Int) -> [Element]? {
        self[name].map { [Element](copying: $0) }.flatMap { $0.count == count ? $0 : nil }
    }
}

extension Array where Element: BitwiseCopyable {
    /// The elements' bytes in memory order.
    var data: Data { withUnsafeBytes { Data($0) } }

    /// As many whole elements as `data` holds.
    init(copying data: Data) {
        let count = data.count / MemoryLayout<Element>.stride
        self.init(unsafeUninitializedCapacity: count) { buffer, initialised in
            initialised = data.copyBytes(to: buffer) / MemoryLayout<Element>.stride
        }
    }
}
