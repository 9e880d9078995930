import Foundation
import FoundationNetworking
import Support

/// What is pushed to a service.
public enum PushKind: String, Sendable {
    case model, dataset

    var collection: String { "/v1/\(rawValue)s" }
}

/// How far a push is.
public enum PushProgress: Sendable {
    /// Bytes of the file that are hashed, of how many.
    case hashing(Int, of: Int)
    /// Bytes that the service has, of how many.
    case sending(Int, of: Int)
    /// The service reads the file.
    case checking
    /// The last piece failed; it is tried again from where the service says.
    case interrupted(Problem)
}

/// Uploads a file by tus 1.0, piece by piece. Each piece carries its SHA-256, the whole file its own; an upload that
/// was interrupted, be it a connection, this program or the service, goes on where the service says.
struct ResumableUpload {
    let client: ServiceClient
    let path: String
    let name: String
    let kind: PushKind
    /// Remembers unfinished uploads from one run to the next; nil for none.
    let ledger: UnfinishedUploads?
    let progress: @Sendable (PushProgress) -> Void

    static let pieceBytes = 4 << 20
    private static let tus = ["Tus-Resumable": "1.0.0"]

    func run() async throws -> InputReply {
        let size = try Self.size(of: path)
        let digest = try FileDigest(path: path) { progress(.hashing($0, of: size)) }
        let mark = UnfinishedUploads.Mark(
            service: client.address.url.absoluteString, sha256: digest.sha256, kind: kind.rawValue)
        var upload = try await find(mark)
        if upload == nil {
            let created = try await create(digest)
            try ledger?.remember(created.id, for: mark)
            upload = created
        }
        guard let upload else { throw Self.lost }
        try await send(upload, digest)
        let input = try await settled(upload.id)
        try ledger?.forget(mark)
        guard input.sha256 == digest.sha256 else {
            throw Problem(
                .internal, code: "upload-differs", title: "The upload is not the file",
                detail: "The service has \(input.sha256), the file is \(digest.sha256).",
                fix: "Was the file changed in the meantime? Push it again.")
        }
        return input
    }

    private static func size(of path: String) throws -> Int {
        let values = try? URL(fileURLWithPath: path).resourceValues(forKeys: [
            .isRegularFileKey, .fileSizeKey,
        ])
        guard let size = values?.fileSize, values?.isRegularFile == true, access(path, R_OK) == 0 else {
            throw Problem(
                .notFound, code: "file-unreadable", title: "The file can't be read",
                detail: "\(path) is no file that can be read.",
                fix: "Name a file that you may read.")
        }
        guard size > 0 else {
            throw Problem(
                .malformed, code: "file-empty", title: "The file is empty", detail: "\(path) has no bytes.",
                fix: "Name the file that holds the model or the set.")
        }
        return size
    }

    /// An upload of the same file that an earlier run began and the service still has.
    private func find(_ mark: UnfinishedUploads.Mark) async throws -> UploadResource? {
        guard let id = try ledger?.upload(for: mark) else { return nil }
        do {
            let found = try await state(of: id)
            if found.state != "rejected" { return found }
        } catch let problem as Problem where [.notFound, .gone, .forbidden].contains(problem.category) {}
        try ledger?.forget(mark)
        return nil
    }

    private func create(_ digest: FileDigest) async throws -> UploadResource {
        let base64 = Data(Self.bytes(ofHexadecimal: digest.sha256)).base64EncodedString()
        let request = client.request(
            "POST", "/v1/uploads",
            query: [
                URLQueryItem(name: "kind", value: kind.rawValue), URLQueryItem(name: "name", value: name),
            ],
            headers: Self.tus.merging([
                "Upload-Length": "\(digest.bytes)", "Repr-Digest": "sha-256=:\(base64):",
            ]) { $1 })
        return try await client.backoff.retrying {
            try client.decode(try await client.checked(request, body: Data()).body)
        }
    }

    private func state(of id: String) async throws -> UploadResource {
        try client.decode(try await client.get("/v1/uploads/\(id)", headers: Self.tus))
    }

    private func send(_ upload: UploadResource, _ digest: FileDigest) async throws {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        var offset = upload.offset
        var failures = 0
        while offset < digest.bytes {
            progress(.sending(offset, of: digest.bytes))
            try file.seek(toOffset: UInt64(offset))
            guard let piece = try file.read(upToCount: Self.pieceBytes), !piece.isEmpty else {
                throw Problem(
                    .conflict, code: "file-changed", title: "The file was changed while it was sent",
                    detail: "\(path) ends at byte \(offset) of \(digest.bytes).", fix: "Push it again.")
            }
            do {
                offset = try await sent(piece, at: offset, of: upload.id)
                failures = 0
            } catch let problem as Problem where Self.isPassing(problem) && failures < client.backoff.tries {
                progress(.interrupted(problem))
                try await Task.sleep(for: client.backoff.delay(after: failures))
                let found = try await state(of: upload.id)
                if let document = found.problem { throw document.problem() }
                failures = found.offset > offset ? 0 : failures + 1
                offset = found.offset
            }
        }
        progress(.sending(digest.bytes, of: digest.bytes))
    }

    /// - Returns: the offset after the piece.
    private func sent(_ piece: Data, at offset: Int, of id: String) async throws -> Int {
        let checksum = Data(Digest.sha256(piece)).base64EncodedString()
        let request = client.request(
            "PATCH", "/v1/uploads/\(id)",
            headers: Self.tus.merging([
                "Upload-Offset": "\(offset)", "Content-Type": "application/offset+octet-stream",
                "Upload-Checksum": "sha256 \(checksum)",
            ]) { $1 })
        let answer = try await client.checked(request, body: piece)
        guard let text = answer["Upload-Offset"], let next = Int(text), next > offset else {
            throw Problem(
                .internal, code: "service-answer", title: "The service gave no answer of its kind",
                detail: "A piece was taken without a new Upload-Offset.")
        }
        return next
    }

    /// A connection that broke, a service that restarts, a piece damaged on the way, another writer.
    private static func isPassing(_ problem: Problem) -> Bool {
        Backoff.isPassing(problem)
            || ["upload-locked", "upload-offset-mismatch", "checksum-mismatch"].contains(problem.code)
    }

    /// Waits until the service has made a model or data set of the upload, and read it.
    private func settled(_ id: String) async throws -> InputReply {
        progress(.checking)
        while true {
            let found = try await state(of: id)
            if let document = found.problem { throw document.problem() }
            if let link = found.links["input"] {
                return try await client.settled(client.address.path(of: link))
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    static func bytes(ofHexadecimal text: String) -> [UInt8] {
        let digits = Array(text)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
    }

    private static let lost = Problem(
        .internal, code: "upload-lost", title: "The upload is lost",
        detail: "The service knows no such upload.",
        fix: "Push the file again.")
}

extension ServiceClient {
    /// Pushes a file so that an interruption costs at most one piece, and waits until the service has read it.
    /// - Parameter ledger: where unfinished uploads are remembered for the next run.
    /// - Throws: `Problem`, among them what the service found wrong with the file.
    public func push(
        _ path: String, as kind: PushKind, name: String, ledger: UnfinishedUploads? = nil,
        progress: @escaping @Sendable (PushProgress) -> Void = { _ in }
    ) async throws -> InputReply {
        try await ResumableUpload(
            client: self, path: path, name: name, kind: kind, ledger: ledger, progress: progress
        ).run()
    }

    /// Uploads a file in one request, with options of its reading. The file is streamed; an interruption starts over.
    public func upload(
        _ path: String, as kind: PushKind, name: String, options: [URLQueryItem],
        progress: @escaping @Sendable (PushProgress) -> Void = { _ in }
    ) async throws -> InputReply {
        let digest = try FileDigest(path: path)
        let base64 = Data(ResumableUpload.bytes(ofHexadecimal: digest.sha256)).base64EncodedString()
        let request = request(
            "POST", kind.collection, query: [URLQueryItem(name: "name", value: name)] + options,
            headers: [
                "Content-Type": "application/octet-stream", "Content-Digest": "sha-256=:\(base64):",
            ])
        progress(.sending(0, of: digest.bytes))
        let answer: Answer
        do {
            let (data, response) = try await session.upload(
                for: request, fromFile: URL(fileURLWithPath: path))
            answer = try Self.answer(data, response)
        } catch let problem as Problem { throw problem } catch {
            try Task.checkCancellation()
            throw unreachable(error)
        }
        guard (200..<300).contains(answer.status) else { throw Self.refusal(answer) }
        progress(.checking)
        let input: InputReply = try decode(answer.body)
        return try await settled("\(kind.collection)/\(input.id)")
    }

    /// - Throws: what is wrong with a rejected input.
    func settled(_ path: String) async throws -> InputReply {
        while true {
            let input: InputReply = try decode(try await get(path, headers: ["Prefer": "wait=30"]))
            if let document = input.problem { throw document.problem(status: 422) }
            if input.state != .importing { return input }
        }
    }
}
