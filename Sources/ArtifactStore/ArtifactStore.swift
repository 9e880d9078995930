import Foundation
import Support
import WorkerProtocol

/// The service's files: content-addressed blobs, packed data sets, and the work directories of jobs.
///
///     DATA/blobs/<sha256>            immutable, complete and durable
///     DATA/blobs/<token>.part        a one-shot upload on its way; removed at start-up
///     DATA/uploads/<id>.part         a resumable upload
///     DATA/datasets/<id>/            a packed data set
///     DATA/datasets/.importing/<id>/attempt-N/    what attempt N of an import writes
///     DATA/jobs/<id>/work/           checkpoints and results of a job, or scratch of a probe; work-N of attempt N on a
///                                    cluster
///     DATA/jobs/<id>/parts-N/K/      what helper K of attempt N of a job writes
///     DATA/lock                      held by the one process that uses the directory
///
/// Files are 0600 and directories 0700.
public final class ArtifactStore: Sendable {
    /// Absolute.
    public let directory: String
    /// Bytes of the file system that no upload may take.
    public let freeSpaceFloor: Int
    /// Left-over partial uploads that opening the store removed.
    public let repairedUploads: Int

    /// The folder, beside those of the packed data sets, that imports write into.
    private static let importing = ".importing"

    private let lock: Int32
    let openParts = Mutex(OpenParts())

    var blobs: String { directory + "/blobs" }
    var datasets: String { directory + "/datasets" }
    var imports: String { datasets + "/" + Self.importing }
    var jobs: String { directory + "/jobs" }
    var uploads: String { directory + "/uploads" }

    /// Opens the directory, creating it where needed, and removes what a crash left half-finished.
    /// - Throws: `Problem` `data-directory-in-use`, or one of the file system.
    public init(directory: String, freeSpaceFloor: Int = 1 << 30) throws {
        self.directory = URL(filePath: directory).standardizedFileURL.path
        self.freeSpaceFloor = max(0, freeSpaceFloor)
        let root = self.directory
        do {
            try FileManager.default.createDirectory(
                atPath: root, withIntermediateDirectories: true,
                attributes: [.posixPermissions: Int(FileSystem.directoryMode)])
        } catch {
            throw Problem(
                .internal, code: "data-directory", title: "The data directory cannot be made",
                detail: "\(root): \(error.localizedDescription)")
        }
        lock = try Self.takeLock(root)
        do {
            try Self.removeTree(root + "/datasets/" + Self.importing)
            for name in ["blobs", "datasets", "datasets/" + Self.importing, "jobs", "uploads"] {
                try FileSystem.makeDirectory(root + "/" + name)
            }
            try DurableFile.synchronise(root)
            repairedUploads = try Self.removePartialUploads(root + "/blobs")
            try prepareCache()
        } catch {
            close(lock)
            throw error
        }
    }

    deinit { close(lock) }

    private static func takeLock(_ root: String) throws -> Int32 {
        let path = root + "/lock"
        let descriptor = DurableFile.retrying {
            open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FileSystem.fileMode)
        }
        guard descriptor >= 0 else { throw FileProblem.of("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            defer { close(descriptor) }
            guard errno == EWOULDBLOCK else { throw FileProblem.of("flock", path) }
            throw Problem(
                .conflict, code: "data-directory-in-use", title: "The data directory is in use",
                detail: "Another process works in \(root).",
                fix: "Stop it first, or give this one another directory.")
        }
        return descriptor
    }

    private static func removePartialUploads(_ blobs: String) throws -> Int {
        let parts = try FileManager.default.contentsOfDirectory(atPath: blobs).filter {
            $0.hasSuffix(".part")
        }
        for part in parts where unlink(blobs + "/" + part) == -1 {
            throw FileProblem.of("unlink", blobs + "/" + part)
        }
        if !parts.isEmpty { try DurableFile.synchronise(blobs) }
        return parts.count
    }

    // MARK: Blobs

    /// Reserves `expectedBytes` on disk before the first byte is taken.
    /// - Throws: `Problem` `.insufficientStorage` when it does not fit above the floor.
    public func beginUpload(expectedBytes: Int) throws -> Upload {
        guard expectedBytes >= 0 else {
            throw Problem(
                .malformed, code: "invalid-length", title: "The length is not valid",
                detail: "\(expectedBytes) bytes were announced.",
                fix: "Send a length that is not negative.")
        }
        try requireSpace(expectedBytes)
        return try Upload(blobs: blobs, expectedBytes: expectedBytes)
    }

    /// - Throws: `Problem` `.insufficientStorage` when so many bytes do not fit above the floor.
    func requireSpace(_ bytes: Int) throws {
        let free = try freeBytes()
        guard bytes <= free else {
            throw Problem(
                .insufficientStorage, code: "disk-full", title: "No room left on the disk",
                detail: "\(bytes) bytes do not fit into the \(free) bytes that may still be used.",
                fix: "Delete models, data sets or jobs that are not needed any more, or add disk space.")
        }
    }

    /// Copies a file that a worker made into the store.
    ///
    /// - Parameter file: as the worker named it; see `ReportedFile`.
    /// - Throws: `Problem` `artifact-not-readable`, or one of the file system.
    public func ingest(file: String, in directory: String) throws -> Blob {
        let source = try ReportedFile(file, in: directory)
        let upload = try beginUpload(expectedBytes: source.size)
        try source.forEachPiece { try upload.write($0) }
        return try upload.commit()
    }

    /// Absolute path of a blob's file; nil when it is not there.
    public func path(of sha256: String) -> String? {
        guard Self.isDigest(sha256) else { return nil }
        let path = blobs + "/" + sha256
        return FileSystem.isRegularFile(path) ? path : nil
    }

    /// Removes a blob; none there is no error. A reader that has it open keeps its content.
    public func delete(sha256: String) throws {
        guard Self.isDigest(sha256) else { return }
        let path = blobs + "/" + sha256
        if unlink(path) == -1, errno != ENOENT { throw FileProblem.of("unlink", path) }
        try DurableFile.synchronise(blobs)
    }

    /// Bytes free for unprivileged use above the floor; never negative.
    public func freeBytes() throws -> Int {
        max(0, try FileSystem.freeBytes(blobs) - freeSpaceFloor)
    }

    static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    // MARK: Directories

    /// Where the packed form of a data set lies.
    public func datasetDirectory(_ id: String) throws -> String { datasets + "/" + (try Self.checked(id)) }

    /// Makes an empty directory for an attempt of an import; what others left is removed. A worker of an earlier one that goes
    /// on, on a machine that was thought to be lost, finds nothing under the name that it knows.
    public func makeImportDirectory(_ id: String, attempt: Int) throws -> String {
        let folder = imports + "/" + (try Self.checked(id))
        let path = folder + "/attempt-\(attempt)"
        try removeImports(id)
        for path in [folder, path] { try FileSystem.makeDirectory(path) }
        try DurableFile.synchronise(folder)
        try DurableFile.synchronise(imports)
        return path
    }

    /// Makes what an attempt has written the packed form of its data set, in the place of one that was there.
    public func placeDataset(_ id: String, attempt: Int) throws {
        let place = try datasetDirectory(id)
        try Self.removeTree(place)
        try DurableFile.move(imports + "/\(id)/attempt-\(attempt)", to: place)
        try removeImports(id)
    }

    /// Removes what imports of a data set have written.
    public func deleteDatasetDirectory(_ id: String) throws {
        try Self.removeTree(datasetDirectory(id))
        try removeImports(id)
    }

    /// Under another name first: what still writes there can't get in the way of the removal.
    private func removeImports(_ id: String) throws {
        let folder = imports + "/" + id
        guard FileManager.default.fileExists(atPath: folder) else { return }
        let gone = imports + "/.gone-" + UUID().uuidString
        try DurableFile.move(folder, to: gone)
        try Self.removeTree(gone)
    }

    /// The work directory of a job or probe, made when it is not there; its content is kept.
    public func makeWorkDirectory(_ id: String) throws -> String {
        try makeWorkDirectory(id, attempt: nil)
    }

    /// - Parameter attempt: gives it a name of the attempt's own. A worker of an earlier one that goes on, on a machine
    ///   that was thought to be lost, finds nothing under the name that it knows.
    public func makeWorkDirectory(_ id: String, attempt: Int?) throws -> String {
        let job = jobs + "/" + (try Self.checked(id))
        let work = job + "/work" + (attempt.map { "-\($0)" } ?? "")
        try FileSystem.makeDirectory(job)
        let earlier = try FileManager.default.contentsOfDirectory(atPath: job).map { job + "/" + $0 }
            .filter { $0.hasPrefix(job + "/work") }
        if let last = earlier.first, earlier.count == 1, last != work { try DurableFile.move(last, to: work) }
        try FileSystem.makeDirectory(work)
        try DurableFile.synchronise(job)
        try DurableFile.synchronise(jobs)
        return work
    }

    /// An empty folder, beside the work directory, for what helpers of a job's attempt write: what the job's own worker may
    /// not touch. Those of earlier attempts are removed.
    public func makePartsDirectory(_ id: String, attempt: Int) throws -> String {
        let job = jobs + "/" + (try Self.checked(id))
        try deletePartsDirectories(id)
        let parts = "\(job)/parts-\(attempt)"
        try FileSystem.makeDirectory(parts)
        try DurableFile.synchronise(job)
        return parts
    }

    /// An empty folder for one helper.
    public func makePartsDirectory(_ number: Int, in parts: String) throws -> String {
        let path = "\(parts)/\(number)"
        try FileSystem.makeDirectory(path)
        return path
    }

    public func deletePartsDirectories(_ id: String) throws {
        let job = jobs + "/" + (try Self.checked(id))
        guard FileManager.default.fileExists(atPath: job) else { return }
        for name in try FileManager.default.contentsOfDirectory(atPath: job) where name.hasPrefix("parts-") {
            // Under another name first: what still writes there can't get in the way of the removal.
            let gone = "\(job)/gone-\(UUID().uuidString)"
            try DurableFile.move("\(job)/\(name)", to: gone)
            try Self.removeTree(gone)
        }
    }

    public func deleteWorkDirectory(_ id: String) throws {
        try Self.removeTree(jobs + "/" + (try Self.checked(id)))
    }

    private static func removeTree(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        do { try FileManager.default.removeItem(atPath: path) } catch {
            throw Problem(
                .internal, code: "file-system", title: "A file operation failed",
                detail: "removal of \(path): \(error.localizedDescription)")
        }
    }

    /// Ids are made by the service; anything else never becomes a path.
    static func checked(_ id: String) throws -> String {
        let valid = id.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x5f
        }
        guard valid, (1...64).contains(id.utf8.count) else {
            throw Problem(
                .internal, code: "invalid-id", title: "An id is not one of the service's", detail: id)
        }
        return id
    }
}
