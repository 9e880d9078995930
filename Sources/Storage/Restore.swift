import ArtifactStore
import Foundation
import JobStore
import Support

/// Makes a data directory of a backup, every file checked. Nothing is there until all of it is.
public struct Restore: Sendable {
    let source: String
    let data: String

    /// - Parameters:
    ///   - source: the backup's folder.
    ///   - data: a folder that is not there yet, or is empty.
    public init(source: String, data: String) {
        self.source = URL(filePath: source).standardizedFileURL.path
        self.data = URL(filePath: data).standardizedFileURL.path
    }

    /// Blocks on the disk.
    /// - Throws: `Problem` `backup-unreadable`, `backup-damaged`, `restore-destination`.
    public func run() throws -> BackupManifest {
        let manifest = try manifest()
        try Folder.makeEmpty(data, code: "restore-destination")
        let scratch = data + ".restoring"
        try Folder.remove(scratch)
        try Folder.make(scratch)
        do {
            for file in manifest.files { try copy(file, into: scratch) }
            let faults = try DatabaseSnapshot.faults(of: scratch + "/" + BackupManifest.database)
            if let first = faults.first {
                throw damaged("The database has \(faults.count) faults, the first: \(first)")
            }
            try Folder.syncTree(scratch)
            guard rmdir(data) == 0, rename(scratch, data) == 0 else {
                throw FileProblem.of("rename", scratch)
            }
        } catch {
            try? Folder.remove(scratch)
            throw error
        }
        try DurableFile.synchronise(URL(filePath: data).deletingLastPathComponent().path)
        return manifest
    }

    private func manifest() throws -> BackupManifest {
        let path = source + "/" + BackupManifest.name
        let manifest: BackupManifest
        do {
            manifest = try JSONDecoder().decode(
                BackupManifest.self, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw Problem(
                .malformed, code: "backup-unreadable", title: "This is no whole backup",
                detail: "\(path): \(error.localizedDescription)",
                fix: "Name the folder that burnd backup has written to its end.")
        }
        guard manifest.format == 1, manifest.files.contains(where: { $0.path == BackupManifest.database })
        else {
            throw damaged("\(path) has format \(manifest.format), or names no database.")
        }
        return manifest
    }

    private func copy(_ file: BackupManifest.File, into folder: String) throws {
        guard Self.isSafe(file.path) else { throw damaged("\(file.path) is no path of a backup.") }
        let target = folder + "/" + file.path
        try Folder.make(URL(filePath: target).deletingLastPathComponent().path)
        let digest: String
        do { digest = try Folder.copy(source + "/" + file.path, to: target) } catch let problem as Problem
            where problem.category != .insufficientStorage
        {
            throw damaged(problem.detail)
        }
        let size = try DurableFile.size(of: target)
        guard digest == file.sha256, size == file.bytes else {
            throw damaged(
                "\(file.path) has \(size) bytes and the SHA-256 \(digest); it had \(file.bytes) and \(file.sha256)."
            )
        }
    }

    /// `burn.sqlite`, `blobs/NAME`, `uploads/NAME` or `datasets/ID/NAME`: a manifest leads nowhere else.
    private static func isSafe(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let allowed = parts.allSatisfy { part in
            !part.isEmpty && !part.hasPrefix(".")
                && part.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
                        || (0x41...0x5A).contains(byte)
                        || [0x2D, 0x2E, 0x5F].contains(byte)
                }
        }
        guard allowed else { return false }
        return path == BackupManifest.database
            || (parts.count == 2 && ["blobs", Backup.uploads].contains(String(parts[0])))
            || (parts.count == 3 && parts[0] == "datasets")
    }

    private func damaged(_ detail: String) -> Problem {
        Problem(
            .unprocessable, code: "backup-damaged", title: "The backup is damaged", detail: detail,
            fix: "Use another backup.")
    }
}
