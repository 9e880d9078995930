import Foundation
import Support

/// What lies in the store, for those who compare it with the database.
extension ArtifactStore {
    public struct StoredBlob: Hashable, Sendable {
        public var sha256: String
        public var size: Int
        /// When it came into the store.
        public var since: Date
    }

    /// Every blob. Other files in their folder are left out.
    public func storedBlobs() throws -> [StoredBlob] {
        try FileManager.default.contentsOfDirectory(atPath: blobs).compactMap { name in
            var status = stat()
            guard Self.isDigest(name), lstat(blobs + "/" + name, &status) == 0,
                status.st_mode & S_IFMT == S_IFREG
            else { return nil }
            // The time of the rename: the inode changed then.
            let since = Date(timeIntervalSince1970: Double(status.st_ctim.tv_sec))
            return StoredBlob(sha256: name, size: Int(status.st_size), since: since)
        }
    }

    /// Ids of the data sets that have a directory, of their packed form or of an import.
    public func datasetIDs() throws -> [String] {
        let names = try [datasets, imports].flatMap {
            try FileManager.default.contentsOfDirectory(atPath: $0)
        }
        return Set(names.filter { !$0.hasPrefix(".") }).sorted()
    }

    /// Ids of the jobs and probes that have a work directory.
    public func workIDs() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: jobs) }

    /// Files of a packed data set, by name; empty without its directory.
    public func datasetFiles(_ id: String) throws -> [String] {
        let path = try datasetDirectory(id)
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    /// Whether a blob's content is what its name says.
    public func isIntact(sha256: String) throws -> Bool {
        guard let path = path(of: sha256) else { return false }
        return try Self.sha256(ofFile: path) == sha256
    }

    /// Takes a damaged blob out of the store, to `damaged/`, where somebody may look at it.
    public func setAside(sha256: String) throws {
        guard let path = path(of: sha256) else { return }
        let folder = directory + "/damaged"
        try FileSystem.makeDirectory(folder)
        let target = folder + "/" + sha256
        guard rename(path, target) == 0 else { throw FileProblem.of("rename", path) }
        try DurableFile.synchronise(blobs)
        try DurableFile.synchronise(folder)
    }

    /// The SHA-256 of a file in lower-case hexadecimal, read with constant memory.
    public static func sha256(ofFile path: String) throws -> String {
        let descriptor = DurableFile.retrying { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
        guard descriptor >= 0 else { throw FileProblem.of("open", path) }
        defer { close(descriptor) }
        var hash = Digest(.sha256)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            if count == 0 { return hash.bytes.hexadecimal }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileProblem.of("read", path)
            }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
