import ArtifactStore
import Foundation
import JobStore
import Support

/// What a backup consists of, written last as `backup.json`: a folder without it is not a whole backup.
public struct BackupManifest: Codable, Hashable, Sendable {
    public struct File: Codable, Hashable, Sendable {
        /// Relative to the backup's folder.
        public var path: String
        public var bytes: Int
        public var sha256: String
    }

    public static let name = "backup.json"
    public static let database = "burn.sqlite"

    /// Of this layout.
    public var format = 1
    /// ISO 8601.
    public var created: String
    public var files: [File]

    enum CodingKeys: String, CodingKey {
        case format, files
        case created = "created_at"
    }
}

/// Copies a data directory while the service may be using it: the database by SQLite's own backup, then every
/// file that it refers to. Files never change once they are there, so a hard link will do where both are on one
/// file system. Checkpoints of unfinished jobs and bytes of unfinished uploads are left out.
public struct Backup: Sendable {
    /// How often the database is copied anew because a file was deleted meanwhile.
    private static let attempts = 3

    let data: String
    let destination: String
    /// Whether the database is copied as it is, with all files: it is of an earlier version, whose tables this one
    /// does not read.
    let isWhole: Bool

    /// - Parameters:
    ///   - data: the data directory.
    ///   - destination: a folder that is not there yet, or is empty.
    ///   - isWhole: whether the database is copied as it is, with all files, used or not. Nobody may be using them.
    public init(data: String, destination: String, isWhole: Bool = false) {
        self.data = URL(filePath: data).standardizedFileURL.path
        self.destination = URL(filePath: destination).standardizedFileURL.path
        self.isWhole = isWhole
    }

    /// Blocks on the disk.
    /// - Throws: `Problem` `backup-destination`, `backup-incomplete`; what the stores throw.
    public func run() throws -> BackupManifest {
        try Folder.makeEmpty(destination, code: "backup-destination")
        for name in ["blobs", "datasets"] { try Folder.make(destination + "/" + name) }
        let database = destination + "/" + BackupManifest.database
        var files: [String: BackupManifest.File] = [:]
        var missing: [String] = []
        for _ in 0..<Self.attempts {
            try Folder.remove(database)
            // SQLite would make it as the umask says.
            try Folder.makeFile(database)
            var wanted: [String: BackupManifest.File] = [:]
            missing = []
            for path in try copyDatabase(to: database) {
                if let file = files[path] {
                    wanted[path] = file
                } else if let file = try copy(path, sha256: digest(of: path)) {
                    wanted[path] = file
                } else {
                    missing.append(path)
                }
            }
            // What only an earlier copy of the database referred to.
            for path in files.keys where wanted[path] == nil { try Folder.remove(destination + "/" + path) }
            files = wanted
            if missing.isEmpty { break }
        }
        guard missing.isEmpty else {
            throw Problem(
                .internal, code: "backup-incomplete", title: "The backup is not whole",
                detail: "\(missing.count) files are not there, the first is \(missing[0]).",
                fix: "Stop the service and run burnd fsck.")
        }
        files[BackupManifest.database] = try BackupManifest.File(
            path: BackupManifest.database, bytes: DurableFile.size(of: database),
            sha256: ArtifactStore.sha256(ofFile: database))
        return try finish(files.values.sorted { $0.path < $1.path })
    }

    private func finish(_ files: [BackupManifest.File]) throws -> BackupManifest {
        let manifest = BackupManifest(created: Date().formatted(.iso8601), files: files)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        for file in files {
            // A hard link has the mode of the file in the data directory.
            try Folder.protect(destination + "/" + file.path)
            try DurableFile.synchronise(destination + "/" + file.path)
        }
        let folders = Set(
            files.map { URL(filePath: destination + "/" + $0.path).deletingLastPathComponent().path })
        for folder in folders { try DurableFile.synchronise(folder) }
        try Folder.write(try encoder.encode(manifest), to: destination + "/" + BackupManifest.name)
        try DurableFile.synchronise(destination)
        return manifest
    }

    /// - Returns: the paths of the files that belong to it.
    private func copyDatabase(to path: String) throws -> [String] {
        let source = data + "/" + BackupManifest.database
        guard isWhole else { return paths(of: try DatabaseSnapshot(of: source, to: path)) }
        try DatabaseSnapshot.wholeCopy(of: source, to: path)
        return try ["blobs", "datasets", Self.uploads].flatMap { folder -> [String] in
            let root = data + "/" + folder
            guard FileManager.default.fileExists(atPath: root) else { return [] }
            return try FileManager.default.subpathsOfDirectory(atPath: root).sorted().filter { name in
                var status = stat()
                return lstat(root + "/" + name, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
                    && (folder == Self.uploads || !name.hasSuffix(".part"))
            }.map { folder + "/" + $0 }
        }
    }

    private func paths(of snapshot: DatabaseSnapshot) -> [String] {
        let blobs = snapshot.blobs.keys.sorted().map { "blobs/" + $0 }
        let packed = snapshot.readyDatasets.flatMap { id -> [String] in
            let folder = "datasets/" + id
            let names = try? FileManager.default.contentsOfDirectory(atPath: data + "/" + folder).sorted()
            // Without its folder: a path that is not there, to be reported.
            return names.map { $0.map { folder + "/" + $0 } } ?? [folder + "/manifest.json"]
        }
        return blobs + packed
    }

    /// What was uploaded in part, in a whole copy alone.
    static let uploads = "uploads"

    private func digest(of path: String) -> String? {
        path.hasPrefix("blobs/") ? String(path.dropFirst("blobs/".count)) : nil
    }

    /// - Parameter sha256: of the content, where the name tells it.
    /// - Returns: nil when the file is not there.
    private func copy(_ path: String, sha256: String?) throws -> BackupManifest.File? {
        let source = data + "/" + path
        let target = destination + "/" + path
        try Folder.make(URL(filePath: target).deletingLastPathComponent().path)
        let digest: String
        // An upload grows where it lies.
        if !path.hasPrefix(Self.uploads + "/"), link(source, target) == 0 {
            digest = try sha256 ?? ArtifactStore.sha256(ofFile: target)
        } else if access(source, F_OK) != 0 {
            return nil
        } else {
            digest = try Folder.copy(source, to: target)
            if let sha256, sha256 != digest {
                throw Problem(
                    .internal, code: "content-damaged", title: "A stored file is damaged",
                    detail: "\(source) has the SHA-256 \(digest).",
                    fix: "Stop the service and run burnd fsck.")
            }
        }
        return BackupManifest.File(path: path, bytes: try DurableFile.size(of: target), sha256: digest)
    }
}
