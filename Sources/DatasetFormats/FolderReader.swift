import Foundation
import PackedDataset
import Support

/// Reads a folder on disk in order of names, as if it were an archive. Links are followed within the folder, and reported
/// where they lead elsewhere.
final class FolderReader: EntrySource {
    private static let maximumDepth = 32

    private let root: String
    /// Folders being read: the names left in each, last one next.
    private var stack: [(prefix: String, names: [String])] = []
    private var isOpen = false
    private var file: FileHandle?
    private var entryName = ""
    /// What the entry at hand leads to, where it is a link.
    private var target: String?

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
            let kind = try kind(of: entryName)
            if kind == .directory { try descend(entryName + "/") }
            return SourceEntry(name: entryName, kind: kind)
        }
        return nil
    }

    func read(into bytes: inout [UInt8], limit: Int) throws {
        if file == nil {
            let path = root + "/" + entryName
            // A link was followed already: `target` is what it leads to.
            let descriptor = open(target ?? path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
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
                detail: "More than \(Self.maximumDepth) levels are not read.", location: prefix,
                fix: "Put the images into folders of fewer levels.")
        }
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: root + "/" + prefix)
            stack.append((prefix, names.sortedByCodePoint().reversed()))
        } catch {
            // Such as lost+found, which only root may read.
            guard !prefix.split(separator: "/").contains(where: { EntryPath.isClutter(String($0)) }) else {
                stack.append((prefix, []))
                return
            }
            throw unreadable(root + "/" + prefix)
        }
    }

    private func kind(of name: String) throws -> SourceEntry.Kind {
        let path = root + "/" + name
        target = nil
        var status = stat()
        guard lstat(path, &status) == 0 else { throw unreadable(path) }
        if status.st_mode & S_IFMT == S_IFLNK {
            guard let real = Self.realPath(path), let top = Self.realPath(root), real.hasPrefix(top + "/"),
                stat(real, &status) == 0
            else { return .symbolicLink }
            // A folder that holds the link has no end.
            guard status.st_mode & S_IFMT != S_IFDIR || !(path + "/").hasPrefix(real + "/"),
                !stack.contains(where: { Self.realPath(root + "/" + $0.prefix) == real })
            else { return .symbolicLink }
            target = real
        }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        default: .special
        }
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    private func unreadable(_ path: String) -> Problem {
        Problem(
            .unprocessable, code: "file-unreadable", title: "A file of the data set cannot be read",
            detail: String(cString: strerror(errno)) + ".", location: path,
            fix: "Check the permissions of the folder and its files.")
    }
}
