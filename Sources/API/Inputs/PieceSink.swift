import ArtifactStore
import Foundation
import HTTPServer
import JobQueue
import JobStore
import Storage
import Support

/// Appends a request's body to an upload's file.
///
/// What came before a lost connection stays, unless the piece has a checksum: nobody could tell then whether it
/// is right.
final class PieceSink: BodySink {
    private struct State {
        var checksum: PieceChecksum?
        var headChecked = false
        /// The part file was given back.
        var isOver = false
    }

    let record: UploadRecord
    private let part: PartFile
    private let uploads: ResumableUploads
    private let checkHead: RESTService.HeadCheck
    private let start: PartFile.Mark
    private let count: @Sendable (Int) -> Void
    private let state: Mutex<State>

    /// - Parameter count: called with the size of each piece written.
    init(
        record: UploadRecord, part: PartFile, checksum: PieceChecksum?, uploads: ResumableUploads,
        checkHead: @escaping RESTService.HeadCheck, count: @escaping @Sendable (Int) -> Void
    ) {
        self.record = record
        self.part = part
        self.uploads = uploads
        self.checkHead = checkHead
        self.count = count
        start = part.mark
        state = Mutex(State(checksum: checksum, headChecked: part.offset >= ContainerFormat.headLength))
    }

    deinit { abort() }

    var offset: Int { part.offset }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try part.append(bytes)
        count(bytes.count)
        let checkHead = state.withLock { state in
            state.checksum?.update(bytes)
            guard !state.headChecked, part.offset >= ContainerFormat.headLength else { return false }
            state.headChecked = true
            return true
        }
        // A wrong file is refused before gigabytes of it have come.
        guard checkHead else { return }
        do { try self.checkHead(part.head(ContainerFormat.headLength), record.kind) } catch let problem
            as Problem
        {
            state.withLock { $0.isOver = true }
            try uploads.reject(record, part, problem)
            throw problem
        }
    }

    func finish() throws {
        let checksum = state.withLock { $0.checksum }
        if let checksum, !checksum.matches {
            throw Tus.refusal(
                460, .malformed, "checksum-mismatch", "The piece does not match its checksum",
                "The \(part.offset - start.offset) bytes from offset \(start.offset) are dropped.",
                at: "Upload-Checksum", fix: "Send the piece again.")
        }
        // A complete file is kept for whoever makes something of it.
        guard !part.isComplete else { return }
        state.withLock { $0.isOver = true }
        try uploads.pause(part)
    }

    /// After the last piece: what became of the upload; nil where bytes are missing.
    /// - Throws: as `ResumableUploads.complete`.
    func complete() async throws -> UploadRecord? {
        let isMine = state.withLock { state in
            guard !state.isOver else { return false }
            state.isOver = true
            return true
        }
        return isMine ? try await uploads.complete(record, part) : nil
    }

    func abort() {
        let (isOver, isChecked) = state.withLock { state in
            defer { state.isOver = true }
            return (state.isOver, state.checksum != nil)
        }
        guard !isOver else { return }
        // A file that cannot be cut or synchronized keeps its bytes; the client reads the offset anew.
        if isChecked { try? part.rewind(to: start) }
        try? uploads.pause(part)
    }
}
