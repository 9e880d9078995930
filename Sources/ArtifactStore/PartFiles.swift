import Foundation
import Support

/// Resumable uploads: their files, and who has them.
extension ArtifactStore {
    /// The open files of uploads between two requests: they keep the hash of what came so far.
    struct OpenParts {
        var idle: [PartFile] = []
        /// Ids of uploads that a request writes to.
        var taken: Set<String> = []
    }

    /// Beyond so many unfinished uploads the oldest files are closed, and read again at their end.
    private static let idleParts = 64

    private func partPath(_ id: String) throws -> String { uploads + "/" + (try Self.checked(id)) + ".part" }

    /// Makes an upload's file and reserves its space.
    /// - Throws: `Problem` `.insufficientStorage` when it does not fit above the floor.
    public func createPart(_ id: String, length: Int) throws {
        try requireSpace(length)
        let path = try partPath(id)
        let descriptor = DurableFile.retrying {
            open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FileSystem.fileMode)
        }
        guard descriptor >= 0 else { throw FileProblem.of("open", path) }
        defer { close(descriptor) }
        do {
            try FileSystem.reserve(descriptor, length, path)
            try DurableFile.synchronise(descriptor, path: path)
            try DurableFile.synchronise(uploads)
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Opens an upload's file for one request; `giveBack` ends that.
    /// - Returns: nil while another request has it.
    /// - Throws: `Problem` when the file is not there.
    public func takePart(_ id: String, length: Int) throws -> PartFile? {
        let path = try partPath(id)
        var idle: PartFile?
        let isFree = openParts.withLock { parts in
            guard parts.taken.insert(id).inserted else { return false }
            if let index = parts.idle.firstIndex(where: { $0.id == id }) {
                idle = parts.idle.remove(at: index)
            }
            return true
        }
        guard isFree else { return nil }
        do { return try idle ?? PartFile(id: id, length: length, path: path) } catch {
            openParts.withLock { _ = $0.taken.remove(id) }
            throw error
        }
    }

    /// - Parameter keepOpen: whether more is expected soon.
    public func giveBack(_ part: PartFile, keepOpen: Bool = true) {
        openParts.withLock { parts in
            parts.taken.remove(part.id)
            guard keepOpen, !part.isComplete else { return }
            parts.idle.append(part)
            if parts.idle.count > Self.idleParts { parts.idle.removeFirst() }
        }
    }

    /// Bytes that are there; nil without the file.
    public func partOffset(_ id: String) throws -> Int? { FileSystem.size(try partPath(id)) }

    /// Ids of the uploads that have a file.
    public func partIDs() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: uploads).compactMap {
            $0.hasSuffix(".part") ? String($0.dropLast(5)) : nil
        }
    }

    /// Removes an upload's file; none there is no error.
    public func deletePart(_ id: String) throws {
        let path = try partPath(id)
        openParts.withLock { $0.idle.removeAll { $0.id == id } }
        if unlink(path) == -1, errno != ENOENT { throw FileProblem.of("unlink", path) }
        try DurableFile.synchronise(uploads)
    }

    /// Makes a blob of an upload's complete and synchronized file. Can be repeated after a crash: a blob that
    /// is there already is the result of the first time.
    public func commitPart(_ id: String, sha256: String) throws {
        let path = try partPath(id)
        let blob = blobs + "/" + sha256
        guard Self.isDigest(sha256) else { throw FileProblem.of("rename", path, EINVAL) }
        openParts.withLock { $0.idle.removeAll { $0.id == id } }
        if rename(path, blob) == -1 {
            guard errno == ENOENT, FileSystem.isRegularFile(blob) else {
                throw FileProblem.of("rename", path)
            }
        }
        try DurableFile.synchronise(blobs)
        try DurableFile.synchronise(uploads)
    }
}
