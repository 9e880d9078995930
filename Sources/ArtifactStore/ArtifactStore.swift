import Foundation
import Problems

/// The service's files: content-addressed blobs, packed data sets, and the work directories of jobs.
public final class ArtifactStore: Sendable {
    /// - Parameter freeSpaceFloor: bytes of the file system that no upload may take.
    public init(directory: String, freeSpaceFloor: Int = 1 << 30) throws { fatalError() }
    /// Reserves `expectedBytes` on disk before the first byte is taken.
    /// - Throws: `Problem` `.insufficientStorage` when it does not fit above the floor.
    public func beginUpload(expectedBytes: Int) throws -> Upload { fatalError() }
    /// Copies a finished file into the store.
    public func ingest(file: String) throws -> Blob { fatalError() }
    /// Absolute path of a blob's file, nil when it is not there.
    public func path(of sha256: String) -> String? { fatalError() }
    public func delete(sha256: String) throws { fatalError() }
    /// Bytes free for unprivileged use, less the floor; never negative.
    public func freeBytes() throws -> Int { fatalError() }
}

/// One upload on its way into the store. Calls may come from any thread, one at a time.
public final class Upload: Sendable {
    /// - Throws: `Problem` `upload-too-long` past the expected size, `.insufficientStorage`.
    public func write(_ bytes: UnsafeRawBufferPointer) throws { fatalError() }
    public func write(_ bytes: some Sequence<UInt8>) throws { fatalError() }
    /// Durable when it returns.
    /// - Parameter expectedSHA256: the client's Content-Digest in lower-case hexadecimal, if any.
    /// - Throws: `Problem` `upload-truncated`, `digest-mismatch`.
    public func commit(expectedSHA256: String? = nil) throws -> Blob { fatalError() }
    /// Removes what was written. Also happens when the upload is released without `commit`.
    public func abort() { fatalError() }
    init() {}
}
