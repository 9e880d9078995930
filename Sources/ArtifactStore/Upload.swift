import Foundation
import Support

/// One upload on its way into the store: reserved, hashed while written, durable once committed.
///
/// Calls may come from any thread; a mutex serializes them.
public final class Upload: Sendable {
    private struct State {
        /// -1 when committed or aborted.
        var descriptor: Int32
        var hash = Digest(.sha256)
        var written = 0
        /// Set once all bytes are there.
        var digest: String?
    }

    public let expectedBytes: Int
    private let blobs: String
    private let part: String
    /// Where the bytes are until they are committed. Absolute.
    public var path: String { part }
    private let state: Mutex<State>

    init(blobs: String, expectedBytes: Int) throws {
        self.expectedBytes = expectedBytes
        self.blobs = blobs
        let part = "\(blobs)/\(UUID().uuidString.lowercased()).part"
        self.part = part
        let descriptor = DurableFile.retrying {
            open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FileSystem.fileMode)
        }
        guard descriptor >= 0 else { throw FileProblem.of("open", part) }
        if expectedBytes > 0 {
            // Returns the error instead of setting errno.
            var code = posix_fallocate(descriptor, 0, off_t(expectedBytes))
            while code == EINTR { code = posix_fallocate(descriptor, 0, off_t(expectedBytes)) }
            guard code == 0 else {
                close(descriptor)
                unlink(part)
                throw FileProblem.of("reservation of \(expectedBytes) bytes", part, code)
            }
        }
        state = Mutex(State(descriptor: descriptor))
    }

    deinit { abort() }

    /// Bytes taken so far.
    public var writtenBytes: Int { state.withLock { $0.written } }

    /// - Throws: `Problem` `upload-too-long` past the expected size, `.insufficientStorage`.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        try state.withLock { state in
            guard state.descriptor >= 0, state.digest == nil else { throw Self.closed }
            guard bytes.count <= expectedBytes - state.written else {
                throw Problem(
                    .malformed, code: "upload-too-long", title: "The body is longer than announced",
                    detail: "More than the \(expectedBytes) bytes of Content-Length were sent.",
                    fix: "Send as many bytes as were announced.")
            }
            try DurableFile.writeAll(state.descriptor, bytes, path: part)
            state.hash.update(bytes)
            state.written += bytes.count
        }
    }

    public func write(_ bytes: Data) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }

    /// All bytes are there: nothing is written any more, and the file at `path` can be looked at.
    /// - Parameter expectedSHA256: the client's Content-Digest in lower-case hexadecimal, if any.
    /// - Throws: `Problem` `upload-truncated`, `digest-mismatch`; the upload is then gone.
    public func seal(expectedSHA256: String? = nil) throws {
        try state.withLock { state in
            guard state.descriptor >= 0, state.digest == nil else { throw Self.closed }
            let problem: Problem
            let digest = state.hash.bytes.hexadecimal
            if state.written != expectedBytes {
                problem = Problem(
                    .malformed, code: "upload-truncated", title: "The body is shorter than announced",
                    detail: "\(state.written) of \(expectedBytes) bytes were sent.",
                    fix: "Send the file again.")
            } else if let expectedSHA256, expectedSHA256 != digest {
                problem = Problem(
                    .malformed, code: "digest-mismatch", title: "The body does not match its digest",
                    detail: "Content-Digest says \(expectedSHA256), the body has \(digest).",
                    fix: "Send the file again; if that fails, compute the SHA-256 of the file anew.")
            } else {
                state.digest = digest
                return
            }
            discard(&state)
            throw problem
        }
    }

    /// Keeps the upload, sealed if it is not yet; durable when it returns.
    /// - Throws: as `seal`.
    public func commit(expectedSHA256: String? = nil) throws -> Blob {
        if state.withLock({ $0.digest == nil }) { try seal(expectedSHA256: expectedSHA256) }
        return try keep()
    }

    private func keep() throws -> Blob {
        try state.withLock { state in
            guard state.descriptor >= 0, let digest = state.digest else { throw Self.closed }
            defer { discard(&state) }
            try DurableFile.synchronise(state.descriptor, path: part)
            // A blob of the same content may be there already: replacing it changes nothing.
            guard rename(part, blobs + "/" + digest) == 0 else { throw FileProblem.of("rename", part) }
            close(state.descriptor)
            state.descriptor = -1
            try DurableFile.synchronise(blobs)
            return Blob(sha256: digest, size: state.written)
        }
    }

    /// Removes what was written. Also happens when the upload is released without `commit`.
    public func abort() {
        state.withLock { discard(&$0) }
    }

    private func discard(_ state: inout State) {
        guard state.descriptor >= 0 else { return }
        close(state.descriptor)
        unlink(part)
        state.descriptor = -1
    }

    private static var closed: Problem {
        Problem(
            .conflict, code: "upload-closed", title: "The upload is over",
            detail: "It was committed or aborted before.",
            fix: "Begin the upload again.")
    }
}
