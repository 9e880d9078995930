import ArtifactStore
import Foundation
import HTTPServer
import JobStore
import Support

/// Streams a request's body into the artifact store with constant memory.
///
/// The first bytes are looked at as soon as they are there, so that a wrong file is refused before
/// gigabytes of it have come; the whole file by whoever keeps it.
final class UploadSink: BodySink {
    private struct State {
        var head: [UInt8] = []
        var headChecked = false
    }

    let upload: Upload
    private let kind: InputKind
    private let checkHead: RESTService.HeadCheck
    private let expectedSHA256: String?
    private let count: @Sendable (Int) -> Void
    private let state = Mutex(State())

    /// - Parameter count: called with the size of each piece written.
    init(
        upload: Upload, kind: InputKind, expectedSHA256: String?, checkHead: @escaping RESTService.HeadCheck,
        count: @escaping @Sendable (Int) -> Void
    ) {
        self.upload = upload
        self.kind = kind
        self.checkHead = checkHead
        self.expectedSHA256 = expectedSHA256
        self.count = count
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let head: [UInt8]? = state.withLock { state in
            guard !state.headChecked else { return nil }
            state.head += bytes.prefix(ContainerFormat.headLength - state.head.count)
            guard state.head.count == ContainerFormat.headLength else { return nil }
            state.headChecked = true
            return state.head
        }
        if let head { try checkHead(head, kind) }
        try upload.write(bytes)
        count(bytes.count)
    }

    func finish() throws {
        let head = state.withLock { $0.headChecked ? nil : $0.head }
        if let head { try checkHead(head, kind) }
        try upload.seal(expectedSHA256: expectedSHA256)
    }

    func abort() { upload.abort() }
}
