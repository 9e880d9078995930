import ArtifactStore
import Findings
import Foundation
import HTTPServer
import Locks
import Problems

/// Streams a request's body into the artifact store with constant memory.
///
/// The first bytes are looked at as soon as they are there, so that a wrong file is refused before
/// gigabytes of it have come; the whole file before it becomes a blob of the store.
final class UploadSink: BodySink {
    private struct State {
        var head: [UInt8] = []
        var headChecked = false
        var stored: Stored?
    }

    private let upload: Upload
    private let expectedSHA256: String?
    private let checks: InputChecks
    private let count: @Sendable (Int) -> Void
    private let state = Mutex(State())

    /// - Parameter count: called with the size of each piece written.
    init(
        upload: Upload, expectedSHA256: String?, checks: InputChecks,
        count: @escaping @Sendable (Int) -> Void
    ) {
        self.upload = upload
        self.expectedSHA256 = expectedSHA256
        self.checks = checks
        self.count = count
    }

    struct Stored {
        var blob: Blob
        /// What the checks found a model to be.
        var model: ModelSummary?
    }

    /// Nil before `finish()`.
    var stored: Stored? { state.withLock { $0.stored } }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let head: [UInt8]? = state.withLock { state in
            guard !state.headChecked else { return nil }
            state.head += bytes.prefix(ContainerFormat.headLength - state.head.count)
            guard state.head.count == ContainerFormat.headLength else { return nil }
            state.headChecked = true
            return state.head
        }
        if let head { try checks.head(head) }
        try upload.write(bytes)
        count(bytes.count)
    }

    func finish() throws {
        let head = state.withLock { $0.headChecked ? nil : $0.head }
        if let head { try checks.head(head) }
        var model: ModelSummary?
        let blob = try upload.commit(expectedSHA256: expectedSHA256) { model = try checks.file($0) }
        let stored = Stored(blob: blob, model: model)
        state.withLock { $0.stored = stored }
    }

    func abort() { upload.abort() }
}
