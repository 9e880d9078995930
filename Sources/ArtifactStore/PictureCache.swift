import Foundation
import Support
import WorkerProtocol

/// Pictures that can be made again, and where they are made.
///
///     DATA/cache/pictures/<job>/     what was made for a job; anything there may go at any time
///     DATA/cache/scratch/<token>/    a worker's output; emptied when the store is opened
extension ArtifactStore {
    private var cache: String { directory + "/cache" }
    private var pictures: String { cache + "/pictures" }
    private var scratch: String { cache + "/scratch" }

    /// Makes the folders, and removes what an earlier run of the service left half-finished. As the store is opened, before anything
    /// is asked of it: a worker's folder would be removed with the others.
    func prepareCache() throws {
        if FileManager.default.fileExists(atPath: scratch) { try removeCached(scratch) }
        for path in [cache, scratch, pictures] { try FileSystem.makeDirectory(path) }
    }

    /// An empty folder for one worker.
    public func makeScratchDirectory() throws -> String {
        let path = scratch + "/" + UUID().uuidString.lowercased()
        try FileSystem.makeDirectory(path)
        return path
    }

    public func deleteScratchDirectory(_ path: String) throws {
        guard path.hasPrefix(scratch + "/") else { return }
        try removeCached(path)
    }

    /// Where a job's pictures lie; the folder need not be there.
    public func pictureDirectory(_ job: String) throws -> String {
        pictures + "/" + (try Self.checked(job))
    }

    public func deletePictures(_ job: String) throws { try removeCached(pictureDirectory(job)) }

    /// Moves a file that a worker made, a regular file with a plain name.
    /// - Parameter directory: made where it is not there.
    /// - Throws: `Problem` `artifact-not-readable`, or one of the file system.
    public func move(_ file: String, from source: String, to directory: String, as name: String) throws {
        _ = try ReportedFile(file, in: source)
        try FileSystem.makeDirectory(directory)
        let target = directory + "/" + name
        guard rename(source + "/" + file, target) == 0 else { throw FileProblem.of("rename", target) }
    }

    /// Bytes of the pictures of all jobs.
    public func cacheBytes() throws -> Int { try cachedFiles().reduce(0) { $0 + $1.size } }

    /// Removes the pictures that were looked at longest ago until the rest takes at most so many bytes. Those of
    /// the last minute stay: somebody may be about to read them.
    /// - Returns: the bytes that are left.
    public func pruneCache(to limit: Int) throws -> Int {
        let files = try cachedFiles().sorted { $0.used < $1.used }
        var bytes = files.reduce(0) { $0 + $1.size }
        let recent = Date(timeIntervalSinceNow: -60)
        for file in files where bytes > limit && file.used < recent {
            if unlink(file.path) == -1, errno != ENOENT { throw FileProblem.of("unlink", file.path) }
            bytes -= file.size
        }
        return bytes
    }

    private struct CachedFile {
        var path: String
        var size: Int
        var used: Date
    }

    private func cachedFiles() throws -> [CachedFile] {
        guard FileManager.default.fileExists(atPath: pictures) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: pictures).flatMap { job in
            let folder = pictures + "/" + job
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.compactMap { name -> CachedFile? in
                let path = folder + "/" + name
                var status = stat()
                guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
                return CachedFile(
                    path: path, size: Int(status.st_size),
                    used: Date(timeIntervalSince1970: Double(status.st_mtim.tv_sec)))
            }
        }
    }

    private func removeCached(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        do { try FileManager.default.removeItem(atPath: path) } catch {
            throw Problem(
                .internal, code: "file-system", title: "A file operation failed",
                detail: "removal of \(path): \(error.localizedDescription)")
        }
    }

    /// Bytes of the file system, taken or not.
    public func totalBytes() throws -> Int {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { throw FileProblem.of("statvfs", directory) }
        let (bytes, overflow) = UInt64(status.f_blocks).multipliedReportingOverflow(
            by: UInt64(status.f_frsize))
        return overflow ? .max : Int(clamping: bytes)
    }
}
