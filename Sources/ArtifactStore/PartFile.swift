import Foundation
import Support

/// The file of a resumable upload: `uploads/<id>.part`, whose size is the offset.
///
/// Space for the whole is reserved beyond the end of the file, so that the size tells how much has come, also
/// after a crash. Calls may come from any thread; a mutex serializes them. One `PartFile` of an id exists at a
/// time (`ArtifactStore.takePart`).
public final class PartFile: Sendable {
    private struct State {
        var descriptor: Int32
        var offset: Int
        var hash = Digest(.sha256)
        /// Bytes that `hash` has seen; less than `offset` after a start of the service.
        var hashed = 0
    }

    /// A place that `rewind` goes back to.
    public struct Mark: Sendable {
        public let offset: Int
        fileprivate let hash: Digest
        fileprivate let hashed: Int
    }

    public let id: String
    /// Bytes of the whole file.
    public let length: Int
    /// Absolute.
    public let path: String
    private let state: Mutex<State>

    init(id: String, length: Int, path: String) throws {
        self.id = id
        self.length = length
        self.path = path
        let descriptor = DurableFile.retrying { open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) }
        guard descriptor >= 0 else { throw FileProblem.of("open", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= length
        else {
            close(descriptor)
            throw FileProblem.of("fstat", path, EINVAL)
        }
        state = Mutex(State(descriptor: descriptor, offset: Int(status.st_size)))
    }

    deinit { state.withLock { _ = close($0.descriptor) } }

    /// Bytes that are there.
    public var offset: Int { state.withLock { $0.offset } }
    public var isComplete: Bool { offset == length }
    public var mark: Mark { state.withLock { Mark(offset: $0.offset, hash: $0.hash, hashed: $0.hashed) } }

    /// - Throws: `Problem` `upload-too-long`, `.insufficientStorage`; what was written before stays.
    public func append(_ bytes: UnsafeRawBufferPointer) throws {
        try state.withLock { state in
            guard bytes.count <= length - state.offset else {
                throw Problem(
                    .malformed, code: "upload-too-long", title: "The body is longer than announced",
                    detail: "More than the \(length) bytes of Upload-Length were sent.",
                    fix: "Send as many bytes as were announced.")
            }
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest)
                let count = pwrite(state.descriptor, piece.baseAddress, piece.count, off_t(state.offset))
                if count < 0 {
                    if errno == EINTR { continue }
                    throw FileProblem.of("write", path)
                }
                if state.hashed == state.offset {
                    state.hash.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
                    state.hashed += count
                }
                state.offset += count
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Drops what came after the mark.
    public func rewind(to mark: Mark) throws {
        try state.withLock { state in
            guard mark.offset < state.offset else { return }
            guard DurableFile.retrying({ ftruncate(state.descriptor, off_t(mark.offset)) }) == 0 else {
                throw FileProblem.of("ftruncate", path)
            }
            state.offset = mark.offset
            state.hash = mark.hash
            state.hashed = mark.hashed
            // The truncation gave the reserved space back.
            try FileSystem.reserve(state.descriptor, length, path)
        }
    }

    /// What came so far survives a power failure.
    public func sync() throws {
        try state.withLock { state in
            try DurableFile.synchronise(state.descriptor, path: path)
        }
    }

    /// The first bytes, at most `count`.
    public func head(_ count: Int) throws -> [UInt8] {
        try state.withLock { state in
            try Self.read(state.descriptor, at: 0, min(count, state.offset), path)
        }
    }

    /// The SHA-256 of what is there, in lower-case hexadecimal. Reads what was not hashed while it came.
    public func sha256() throws -> String {
        try state.withLock { state in
            while state.hashed < state.offset {
                let count = min(1 << 20, state.offset - state.hashed)
                let bytes = try Self.read(state.descriptor, at: state.hashed, count, path)
                state.hash.update(bytes)
                state.hashed += bytes.count
            }
            return state.hash.bytes.hexadecimal
        }
    }

    private static func read(_ descriptor: Int32, at offset: Int, _ count: Int, _ path: String) throws
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let wanted = count - bytes.count
            let position = offset + bytes.count
            var failure: Int32 = 0
            let piece = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
                let got = pread(descriptor, buffer.baseAddress, wanted, off_t(position))
                if got < 0 { failure = errno }
                filled = max(0, got)
            }
            if failure == EINTR { continue }
            guard failure == 0, !piece.isEmpty else { throw FileProblem.of("read", path, EIO) }
            bytes += piece
        }
        return bytes
    }
}
