import Foundation
import PackedDataset
import Support

/// Reads a folder on disk in order of names, as if it were an archive. Links are reported, never followed.
final class FolderReader: EntrySource {
    private static let maximumDepth = 32

    private let root: String
    /// Folders being read: the names left in each, last one next.
    private var stack: [(prefix: String, names: [String])] = []
    private var isOpen = false
    private var file: FileHandle?
    private var entryName = ""

    let formatName = "directory"
    let bytesTotal: Int? = nil
    private(set) var bytesRead = 0

    init(root: String) { self.root = root }

    func next() throws -> SourceEntry? {
        if !isOpen {
            isOpen = true
            try descend("")
        }
        file = nil
        while let top = stack.indices.last {
            guard let name = stack[top].names.popLast() else {
                stack.removeLast()
                continue
            }
            entryName = stack[top].prefix + name
            let kind = try kind(of: root + "/" + entryName)
            if kind == .directory { try descend(entryName + "/") }
            return SourceEntry(name: entryName, kind: kind)
        }
        return nil
    }

    func read(into bytes: inout [UInt8], limit: Int) throws {
        if file == nil {
            let path = root + "/" + entryName
            let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
            guard descriptor >= 0 else { throw unreadable(path) }
            file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        }
        do {
            let data = try file?.read(upToCount: limit) ?? Data()
            bytes.append(contentsOf: data)
            bytesRead += data.count
        } catch {
            throw unreadable(root + "/" + entryName)
        }
    }

    private func descend(_ prefix: String) throws {
        guard stack.count < Self.maximumDepth else {
            throw Problem(
                .unprocessable, code: "folders-too-deep", title: "The folders are nested too deeply",
                detail: "More than \(Self.maximumDepth) levels are not read.", location: prefix)
        }
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: root + "/" + prefix)
            stack.append((prefix, names.sortedByCodePoint().reversed()))
        } catch {
            throw unreadable(root + "/" + prefix)
        }
    }

    private func kind(of path: String) throws -> SourceEntry.Kind {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw unreadable(path) }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        case S_IFLNK: .symbolicLink
        default: .special
        }
    }

    private func unreadable(_ path: String) -> Problem {
        Problem(
            .unprocessable, code: "file-unreadable", title: "A file of the data set cannot be read",
            detail: String(cString: strerror(errno)) + ".", location: path,
            fix: "Check the permissions of the folder and its files.")
    }
}
