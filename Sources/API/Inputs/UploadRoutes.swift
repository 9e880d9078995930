import ArtifactStore
import Foundation
import HTTPServer
import JobQueue
import JobStore
import Support

/// Resumable uploads, by tus 1.0.0 with the extensions creation, creation-with-upload, expiration, checksum and
/// termination.
extension RESTService {
    static let uploadCollection = "/v1/uploads"
    private static let collection = uploadCollection

    func addUploadRoutes(to router: inout Router) {
        router.on(.options, Self.collection, access: .read) { _ in
            var headers = Tus.headers
            headers[.tusVersion] = Tus.version
            headers[.tusExtension] = Tus.extensions
            headers[.tusMaxSize] = String(max(limits.modelBytes, limits.datasetBytes))
            headers[.tusChecksumAlgorithm] = PieceChecksum.algorithms
            headers[.allow] = "OPTIONS, POST"
            return HTTPResponse(status: .noContent, headers: headers)
        }
        router.on(.post, Self.collection, isUpload: true) { head in
            try await Tus.answering { try await planCreation(head) }
        } respond: { request in
            try await Tus.answering { try await created(request) }
        }
        router.on(.get, Self.collection + "/{id}") { request in
            try await Tus.answering {
                try request.head.allowQuery()
                let (record, offset) = try await uploads.find(request.id)
                return try JSON.response(
                    UploadResource(record: record, offset: offset), headers: headers(of: record, offset))
            }
        }
        router.on(.patch, Self.collection + "/{id}", isUpload: true) { head in
            try await Tus.answering { try await planPiece(head) }
        } respond: { request in
            try await Tus.answering { try await piece(request) }
        }
        router.on(.delete, Self.collection + "/{id}") { request in
            try await Tus.answering {
                try request.head.allowQuery()
                try request.head.requireTusVersion()
                let (record, _) = try await uploads.find(request.id)
                guard try await uploads.delete(record) else { throw Self.locked(record) }
                return HTTPResponse(status: .noContent, headers: Tus.headers)
            }
        }
    }

    /// Where the first bytes come along, the upload is made before they are read.
    private func planCreation(_ head: HTTPRequestHead) async throws -> BodyPlan {
        let bytes = Int(clamping: head.contentLength ?? 0)
        guard bytes > 0 else { return .none }
        try requirePieceType(head)
        let checksum = try head.uploadChecksum()
        guard bytes <= (try head.requiredByteCount(.uploadLength)) else {
            throw Tus.refusal(
                nil, .tooLarge, "upload-too-long", "The piece goes beyond the end of the file",
                "\(bytes) bytes do not fit into Upload-Length.", at: "Content-Length",
                fix: "Send no more than Upload-Length says, or say how long the file is.")
        }
        let record = try await create(head)
        guard let part = try uploads.take(record) else { throw Self.locked(record) }
        return .stream(to: sink(record, part, checksum), limit: UInt64(record.length))
    }

    private func created(_ request: HTTPRequest) async throws -> HTTPResponse {
        var (record, offset): (UploadRecord, Int)
        if case .sink(let sink) = request.body, let sink = sink as? PieceSink {
            record = try await sink.complete() ?? sink.record
            offset = sink.offset
        } else {
            (record, offset) = (try await create(request.head), 0)
        }
        var headers = headers(of: record, offset)
        headers[.location] = BasePath.link("\(Self.collection)/\(record.id)")
        return try JSON.response(
            UploadResource(record: record, offset: offset), status: .created, headers: headers)
    }

    private func sink(_ record: UploadRecord, _ part: PartFile, _ checksum: PieceChecksum?) -> PieceSink {
        PieceSink(
            record: record, part: part, checksum: checksum, uploads: uploads, checkHead: checkHead,
            count: { [metrics] in metrics.uploaded(bytes: $0) })
    }

    private func requirePieceType(_ head: HTTPRequestHead) throws {
        guard head.mediaType?.essence != Tus.contentType else { return }
        throw Tus.refusal(
            nil, .unsupportedFormat, "content-type-not-offset", "The body must be a piece of the file",
            "The Content-Type is \(head.headers.first(.contentType)?.prefix(80) ?? "missing").",
            at: "Content-Type", fix: "Send Content-Type: \(Tus.contentType).")
    }

    private func create(_ head: HTTPRequestHead) async throws -> UploadRecord {
        try head.allowQuery(["kind", "name"] + ImportParameters.names.values.joined())
        try head.requireTusVersion()
        if let concat = head.headers.first(.uploadConcat) {
            throw Tus.refusal(
                nil, .malformed, "upload-concat-unsupported", "Uploads are not joined",
                "Upload-Concat is \(concat.prefix(80)); each upload is one whole file.", at: "Upload-Concat",
                fix:
                    "Upload the file as one, piece after piece. Several files of one data set go into one tar."
            )
        }
        let metadata = try head.uploadMetadata()
        guard let text = head.queryValue("kind") ?? metadata["kind"], let kind = InputKind(rawValue: text)
        else {
            throw Tus.refusal(
                nil, .malformed, "upload-kind-missing", "It is not said what the upload is",
                "kind is model or dataset, as a query parameter or in Upload-Metadata.", at: "kind",
                fix: "POST \(Self.collection)?kind=model")
        }
        let length = try head.requiredByteCount(.uploadLength)
        let (limit, setting) =
            kind == .model
            ? (limits.modelBytes, "limits.model_bytes") : (limits.datasetBytes, "limits.dataset_bytes")
        guard length > 0 else {
            throw Tus.refusal(
                nil, .malformed, "upload-empty", "The upload is empty", "Upload-Length is 0.",
                at: "Upload-Length", fix: "Send the file's own length: stat -c %s FILE.")
        }
        guard length <= limit else {
            throw Tus.refusal(
                nil, .tooLarge, "upload-too-large", "The upload is larger than allowed",
                "It has \(length) bytes; the limit is \(limit).", at: "Upload-Length",
                fix: "The limit is \(setting) in the service's configuration.")
        }
        let options = try await uploadOptions(head, metadata, kind)
        let record = try await uploads.create(
            kind, name: try uploadName(head, default: Self.name(metadata) ?? kind.rawValue), length: length,
            owner: head.owner, metadata: options,
            expectedSHA256: try head.fileDigest(), admit: quota(of: head, for: length))
        return record
    }

    /// The whole file has to fit into the key's storage, beside all that is stored, unfinished, and on its way.
    private func quota(of head: HTTPRequestHead, for length: Int)
        -> @Sendable (_ takenBytes: Int) throws -> Void
    {
        guard let key = (head.principal as? Principal)?.key else { return { _ in } }
        let maximum = key.quota.storedBytes ?? access.quotas.storedBytes
        return { [ledger] taken in
            do {
                try ledger.requireRoom(for: length, of: key.id, taken: taken, maximum: maximum)
            } catch var problem as Problem {
                problem.location = "Upload-Length"
                throw problem
            }
        }
    }

    /// What common clients call the file's name, if it can be one.
    private static func name(_ metadata: [String: String]) -> String? {
        guard let name = metadata["filename"] ?? metadata["name"], (1...255).contains(name.utf8.count),
            name.isPlain
        else { return nil }
        return name
    }

    private func planPiece(_ head: HTTPRequestHead) async throws -> BodyPlan {
        try head.allowQuery()
        try head.requireTusVersion()
        try requirePieceType(head)
        let given = try head.requiredByteCount(.uploadOffset)
        let checksum = try head.uploadChecksum()
        guard let length = head.contentLength else {
            throw Tus.refusal(
                nil, .lengthRequired, "length-required", "A piece needs a Content-Length",
                "The request has none.", at: "Content-Length",
                fix: "Send the piece with its length; with curl: curl -T PIECE -X PATCH URL.")
        }
        guard let id = head.parameters["id"] else { throw Self.conflict(given, 0) }
        let (record, offset) = try await uploads.find(id)
        if let problem = record.problem { throw HTTPRefusal(problem, headers: Tus.headers) }
        // A check or a commit that something of the service's ended is taken up again with an empty piece.
        guard record.state != .finished, given == offset else { throw Self.conflict(given, offset) }
        guard length <= record.length - offset else {
            throw Tus.refusal(
                nil, .tooLarge, "upload-too-long", "The piece goes beyond the end of the file",
                "\(length) bytes at offset \(offset) do not fit into Upload-Length \(record.length).",
                at: "Content-Length", fix: "Send the \(record.length - offset) bytes that are missing.")
        }
        guard record.state != .committing else { return .none }
        guard let part = try uploads.take(record) else { throw Self.locked(record) }
        let sink = sink(record, part, checksum)
        // Between the look at the file and now another request may have ended.
        guard sink.offset == given else {
            sink.abort()
            throw Self.conflict(given, sink.offset)
        }
        return .stream(to: sink, limit: UInt64(record.length))
    }

    private func piece(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard case .sink(let sink) = request.body, let sink = sink as? PieceSink else {
            let record = try await uploads.commitAgain(uploads.find(request.id).record)
            return HTTPResponse(status: .noContent, headers: headers(of: record, record.length))
        }
        let record: UploadRecord
        if let finished = try await sink.complete() {
            record = finished
        } else {
            try await uploads.renew(sink.record.id)
            record = try await store.upload(sink.record.id)
        }
        return HTTPResponse(status: .noContent, headers: headers(of: record, sink.offset))
    }

    private func headers(of record: UploadRecord, _ offset: Int) -> HTTPFields {
        var headers = Tus.headers
        headers[.uploadOffset] = String(offset)
        headers[.uploadLength] = String(record.length)
        headers[.uploadExpires] = Self.httpDate(record.expiresAt)
        headers[.uploadMetadata] = record.metadata
        if let input = record.inputPath { headers[.link] = "<\(input)>; rel=\"item\"" }
        return headers
    }

    /// RFC 9110, section 5.6.7.
    private static func httpDate(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.string(from: date)
    }

    private static func conflict(_ given: Int, _ offset: Int) -> HTTPRefusal {
        var refusal = Tus.refusal(
            nil, .conflict, "upload-offset-mismatch", "The piece does not follow what is there",
            "Upload-Offset is \(given); \(offset) bytes are there.", at: "Upload-Offset",
            fix: "Ask with HEAD where to go on.")
        refusal.headers[.uploadOffset] = String(offset)
        return refusal
    }

    private static func locked(_ record: UploadRecord) -> HTTPRefusal {
        Tus.refusal(
            423, .conflict, "upload-locked", "Another request writes to the upload",
            "\(record.id) takes one request at a time.", fix: "Wait until that request has ended.")
    }
}

/// A resumable upload as the API shows it.
private struct UploadResource: Encodable {
    var record: UploadRecord
    var offset: Int

    enum CodingKeys: String, CodingKey {
        case id, kind, name, state, offset, length, problem, links
        case createdAt = "created_at"
        case expiresAt = "expires_at"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(record.id, forKey: .id)
        try container.encode(record.kind.rawValue, forKey: .kind)
        try container.encode(record.name, forKey: .name)
        try container.encode(record.state, forKey: .state)
        try container.encode(offset, forKey: .offset)
        try container.encode(record.length, forKey: .length)
        try container.encode(record.problem.map { ProblemResource($0) }, forKey: .problem)
        try container.encode(Timestamp.text(record.createdAt), forKey: .createdAt)
        try container.encode(Timestamp.text(record.expiresAt), forKey: .expiresAt)
        var links = ["self": BasePath.link("/v1/uploads/\(record.id)")]
        links["input"] = record.inputPath
        try container.encode(links, forKey: .links)
    }
}

extension UploadRecord {
    /// Where the model or data set is.
    fileprivate var inputPath: String? { input.map { BasePath.link("/v1/\(kind.rawValue)s/\($0)") } }
}
