import Foundation
import Support

/// Single files that are parts of one set, in the order that they are given, as if they lay in a folder.
final class FilesReader: EntrySource {
    private var rest: [(name: String, path: String)]
    private var file: FileHandle?
    private var path = ""

    let formatName = "files"
    let bytesTotal: Int?
    private(set) var bytesRead = 0

    /// - Throws: `Problem` `set-parts-invalid` for what is no file, and for two of one name.
    init(_ paths: [String]) throws {
        var names: Set<String> = []
        var total = 0
        rest = []
        for path in paths {
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw Self.invalid(
                    "It is no file. Several parts of a set are archives or Parquet files.", path)
            }
            let name = (path as NSString).lastPathComponent
            guard names.insert(name).inserted else {
                throw Self.invalid("Two files are called \(name).", path)
            }
            rest.append((name, path))
            total = Checked.sum(total, Int(widened: status.st_size)) ?? .max
        }
        rest.reverse()
        bytesTotal = total
    }

    func next() throws -> SourceEntry? {
        file = nil
        guard let next = rest.popLast() else { return nil }
        path = next.path
        return SourceEntry(name: next.name, kind: .file)
    }

    func read(into bytes: inout [UInt8], limit: Int) throws {
        if file == nil { file = FileHandle(forReadingAtPath: path) }
        guard let file else { throw Self.invalid("It cannot be opened.", path) }
        do {
            let data = try file.read(upToCount: limit) ?? Data()
            bytes.append(contentsOf: data)
            bytesRead += data.count
        } catch {
            throw Self.invalid("It cannot be read: \(error.localizedDescription).", path)
        }
    }

    private static func invalid(_ detail: String, _ path: String) -> Problem {
        Problem(
            .unprocessable, code: "set-parts-invalid", title: "The parts are no parts of one set",
            detail: detail, location: path, fix: "Give archives or Parquet files of different names.")
    }
}
