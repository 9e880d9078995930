import ArtifactStore
import Findings
import Foundation
import JobStore
import Logging
import Support

/// Uploads in pieces, which go on after an interruption of the client, the connection or the service.
///
/// An upload is a row and a part file. What was acknowledged is in the file and on the disk. When all bytes are
/// there, `checking` is written and a worker looks at the file; then `committing` is written, the file becomes a blob,
/// and one transaction makes the model or data set of it. A crash between any two of these steps is made good by
/// `finishInterrupted`; a look that ended with the service three times is not begun again.
public struct ResumableUploads: Sendable {
    /// Looks at a complete file before it is kept: throws the `Problem` to answer with, and gives what a model
    /// was found to be.
    public typealias Check = @Sendable (UploadRecord, _ path: String) async throws -> ModelSummary?
    /// What an upload was made with, beside its kind and name.
    public typealias Options = @Sendable (UploadRecord) throws -> UploadOptions

    let store: JobStore
    let artifacts: ArtifactStore
    /// Told of a new model or data set.
    let registered: @Sendable () async -> Void
    let options: Options
    let check: Check
    let logger: Logger
    /// Looks that may end with the service before the upload is rejected.
    private static let mostChecks = 3
    /// How long an upload waits for its next byte.
    public let patience: Duration
    /// Unfinished uploads of one owner.
    public let maximumUnfinished: Int

    public init(
        store: JobStore, artifacts: ArtifactStore, patience: Duration = .seconds(86_400),
        maximumUnfinished: Int = 16, logger: Logger = Logger(label: "burn.uploads"),
        options: @escaping Options = { _ in .none }, registered: @escaping @Sendable () async -> Void,
        check: @escaping Check
    ) {
        self.store = store
        self.artifacts = artifacts
        self.registered = registered
        self.patience = patience
        self.maximumUnfinished = maximumUnfinished
        self.logger = logger
        self.options = options
        self.check = check
    }

    private var expiry: Date { Date(timeIntervalSinceNow: patience / .seconds(1)) }

    /// Reserves the space, then registers the upload.
    /// - Parameter admit: see `JobStore.insertUpload`.
    /// - Throws: `Problem` `.insufficientStorage`, `too-many-uploads`; what `admit` throws.
    public func create(
        _ kind: InputKind, name: String, length: Int, owner: String? = nil, metadata: String? = nil,
        expectedSHA256: String? = nil,
        admit: @escaping @Sendable (_ takenBytes: Int) throws -> Void = { _ in }
    ) async throws -> UploadRecord {
        let request = UploadRequest(
            owner: owner, kind: kind, name: name, length: length, metadata: metadata,
            expectedSHA256: expectedSHA256, expiresAt: expiry)
        // The row first: a file without one is removed by the next sweep.
        let record = try await store.insertUpload(
            request, maximumUnfinished: maximumUnfinished, admit: admit)
        do {
            try await onDisk { [artifacts] in try artifacts.createPart(record.id, length: length) }
        } catch {
            try await store.deleteUpload(record.id)
            throw error
        }
        return record
    }

    /// - Throws: `Problem` `upload-not-found`.
    public func find(_ id: String) async throws -> (record: UploadRecord, offset: Int) {
        let record = try await store.upload(id)
        guard record.state == .receiving else { return (record, record.length) }
        return (record, try artifacts.partOffset(id) ?? 0)
    }

    /// The file, for one request; nil while another has it. To be given back with `pause` or `complete`.
    public func take(_ record: UploadRecord) throws -> PartFile? {
        try artifacts.takePart(record.id, length: record.length)
    }

    /// On a Dispatch thread: what came is made durable; more may come later.
    public func pause(_ part: PartFile) throws {
        defer { artifacts.giveBack(part) }
        try part.sync()
    }

    /// On a Dispatch thread: the bytes so far show that the file cannot be used.
    public func reject(_ record: UploadRecord, _ part: PartFile, _ problem: Problem) throws {
        defer { artifacts.giveBack(part, keepOpen: false) }
        try store.rejectUpload(record.id, problem)
        try artifacts.deletePart(record.id)
    }

    /// A piece was stored: the upload's time begins anew.
    public func renew(_ id: String) async throws { try await store.renewUpload(id, expiresAt: expiry) }

    /// All bytes are there. Checks the file and makes the model or data set; goes on to its end when the caller is
    /// cancelled, whose client may be gone.
    /// - Throws: what the check threw; the upload is then rejected and its bytes are gone. After errors that say nothing of
    ///   the file it waits to be completed again.
    public func complete(_ record: UploadRecord, _ part: PartFile) async throws -> UploadRecord {
        try await Task { try await finish(record, part) }.value
    }

    private func finish(_ record: UploadRecord, _ part: PartFile) async throws -> UploadRecord {
        defer { artifacts.giveBack(part, keepOpen: false) }
        do {
            let sha256 = try await onDisk { try seal(record, part) }
            let model = try await check(record, part.path)
            return try await onDisk { [store] in
                try store.beginCommit(upload: record.id, sha256: sha256, model: model)
                return try commit(record, sha256)
            }
        } catch let problem as Problem where problem.isOfTheFile {
            try await onDisk { [store, artifacts] in
                try store.rejectUpload(record.id, problem)
                try artifacts.deletePart(record.id)
            }
            throw problem
        } catch {
            await release(record, after: error)
            throw error
        }
    }

    /// The service, its disk or its database failed, not the file.
    private func release(_ record: UploadRecord, after error: any Error) async {
        let counts = (error as? Problem)?.code == UploadChecker.outOfMemory
        do {
            try await onDisk { [store] in try store.releaseCheck(upload: record.id, counts: counts) }
        } catch {
            logger.error(
                "an upload stays in its check", metadata: ["upload": "\(record.id)", "error": "\(error)"])
        }
    }

    /// Makes the file durable and marks it, before anybody looks at it.
    /// - Returns: its SHA-256.
    private func seal(_ record: UploadRecord, _ part: PartFile) throws -> String {
        try part.sync()
        let sha256 = try part.sha256()
        if let expected = record.expectedSHA256, expected != sha256 {
            throw Problem(
                .malformed, code: "digest-mismatch", title: "The file does not match its digest",
                detail: "Repr-Digest says \(expected), the file has \(sha256).",
                fix: "Send the file again; if that fails, compute the SHA-256 of the file anew.")
        }
        guard try store.beginCheck(upload: record.id, sha256: sha256) <= Self.mostChecks else {
            throw Problem(
                .unprocessable, code: "upload-check-died", title: "The file cannot be checked",
                detail: "\(Self.mostChecks) checks of it did not come to their end.",
                fix: "Look into the service's log for what ended them.")
        }
        return sha256
    }

    private func commit(_ record: UploadRecord, _ sha256: String) throws -> UploadRecord {
        try artifacts.commitPart(record.id, sha256: sha256)
        let blob = Blob(sha256: sha256, size: record.length)
        let finished = try store.finishUpload(record.id, blob: blob, options: options(record)) {
            try artifacts.require($0)
        }
        Task { [registered] in await registered() }
        return finished
    }

    /// Forgets an upload and its bytes; what was made of a finished one stays.
    /// - Returns: false while another request writes to it.
    public func delete(_ record: UploadRecord) async throws -> Bool {
        guard [.receiving, .checking].contains(record.state) else {
            try await store.deleteUpload(record.id)
            return true
        }
        guard let part = try take(record) else { return false }
        defer { artifacts.giveBack(part, keepOpen: false) }
        try await store.deleteUpload(record.id)
        try await onDisk { [artifacts] in try artifacts.deletePart(record.id) }
        return true
    }

    /// Removes the uploads whose time is over.
    public func expire() async throws {
        for record in try await store.expiredUploads() {
            guard try await delete(record) else { continue }
            logger.info("an upload has expired", metadata: ["upload": "\(record.id)"])
        }
    }

    /// Finishes uploads that have all their bytes and were interrupted after that.
    public func finishInterrupted() async {
        let pending: [UploadRecord]
        do { pending = try await store.uploads(in: [.receiving, .checking, .committing]) } catch {
            return logger.error("uploads cannot be read", metadata: ["error": "\(error)"])
        }
        for record in pending {
            do {
                guard try await finishNow(record) else { continue }
                logger.notice("finished an interrupted upload", metadata: ["upload": "\(record.id)"])
            } catch {
                logger.warning(
                    "an interrupted upload cannot be finished",
                    metadata: ["upload": "\(record.id)", "error": "\(error)"])
            }
        }
    }

    /// Makes the model or data set of an upload whose file was found good, where something kept it from its end.
    /// - Throws: what is wrong with it; the upload is then rejected. Other errors leave it as it is.
    public func commitAgain(_ record: UploadRecord) async throws -> UploadRecord {
        guard record.state == .committing, let sha256 = record.sha256 else { return record }
        do { return try await onDisk { try commit(record, sha256) } } catch let problem as Problem
            where problem.isOfTheFile
        {
            try await onDisk { [store] in try store.rejectUpload(record.id, problem) }
            throw problem
        }
    }

    private func finishNow(_ record: UploadRecord) async throws -> Bool {
        if record.state == .committing {
            _ = try await commitAgain(record)
            return true
        }
        guard try artifacts.partOffset(record.id) == record.length, let part = try take(record) else {
            return false
        }
        _ = try await complete(record, part)
        return true
    }
}

extension Problem {
    /// Whether it says something of the file, and not of the service at this time.
    fileprivate var isOfTheFile: Bool {
        switch category {
        case .internal, .insufficientStorage, .unavailable, .rateLimited, .cancelled, .notFound: false
        default: true
        }
    }
}
