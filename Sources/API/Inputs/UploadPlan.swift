import ArtifactStore
import Dispatch
import Findings
import Foundation
import HTTPServer
import JobQueue
import JobStore
import Storage
import Support

/// What the upload routes of models and data sets share.
extension RESTService {
    /// Checks the head of an upload and reserves its space.
    func planUpload(
        _ head: HTTPRequestHead, _ kind: InputKind, limit: Int, setting: String
    ) async throws -> BodyPlan {
        _ = try uploadName(head, default: "")
        let digest = try head.contentDigest()
        if let type = head.mediaType?.essence, type.hasPrefix("multipart/") {
            throw Problem(
                .unsupportedFormat, code: "upload-multipart", title: "The body must be the file itself",
                detail: "The Content-Type is \(type.prefix(80)).", location: "Content-Type",
                fix: "With curl: curl -T FILE -X POST URL (or --data-binary @FILE), not -F.")
        }
        guard let length = head.contentLength else {
            throw Problem(
                .lengthRequired, code: "length-required", title: "An upload needs a Content-Length",
                detail: "The request has none.", location: "Content-Length",
                fix: "Send the file with its length; with curl: curl -T FILE -X POST URL.")
        }
        guard length > 0 else {
            throw Problem(
                .malformed, code: "upload-empty", title: "The upload is empty",
                detail: "Content-Length is 0.", location: "Content-Length", fix: "Send the file as the body.")
        }
        guard let size = Int(exactly: length), size <= limit else {
            throw Problem(
                .tooLarge, code: "upload-too-large", title: "The upload is larger than allowed",
                detail: "It has \(length) bytes; the limit is \(limit).", location: "Content-Length",
                fix: "The limit is \(setting) in the service's configuration.")
        }
        let metrics = metrics
        let sink = UploadSink(
            upload: try await beginUpload(of: size), kind: kind, expectedSHA256: digest,
            checkHead: checkHead, count: { metrics.uploaded(bytes: $0) })
        return .stream(to: sink, limit: UInt64(limit))
    }

    /// Reserving space blocks on the disk, and a thousand uploads may begin at once: on a queue of its own, it
    /// keeps no other request waiting.
    private func beginUpload(of size: Int) async throws -> Upload {
        try await withCheckedThrowingContinuation { continuation in
            Self.reservations.async { [artifacts] in
                continuation.resume(with: Result { try artifacts.beginUpload(expectedBytes: size) })
            }
        }
    }

    private static let reservations = DispatchQueue(label: "burn.api.reservations", qos: .utility)

    func uploadName(_ head: HTTPRequestHead, default name: String) throws -> String {
        guard let given = head.queryValue("name") else { return name }
        guard (1...255).contains(given.utf8.count), given.isPlain else {
            throw HTTPRequestHead.invalid(
                "name", "A name has 1 to 255 bytes and no control or invisible characters.")
        }
        return given
    }

    /// Has a worker look at the upload, and keeps it.
    /// - Throws: as `UploadChecker.check`; the upload is then gone.
    func store(
        _ request: HTTPRequest, _ kind: InputKind, _ options: ModelImport? = nil
    ) async throws -> (blob: Blob, model: ModelSummary?) {
        guard case .sink(let sink) = request.body, let upload = (sink as? UploadSink)?.upload else {
            throw Problem(
                .internal, code: "upload-lost", title: "The service failed",
                detail: "The upload did not reach the store.", fix: "Try again.")
        }
        let model = try await queue.checker.check(Self.check(kind, options, at: upload.path))
        return (try await onDisk { try upload.commit() }, model)
    }

    func created(_ value: some Encodable, at path: String, waited: Int?) throws -> HTTPResponse {
        var headers: HTTPFields = [.location: BasePath.link(path)]
        if let waited { headers[.preferenceApplied] = "wait=\(waited)" }
        return try JSON.response(value, status: .created, headers: headers)
    }
}

extension HTTPRequest {
    /// The `{id}` of the route.
    var id: String { head.parameters["id"] ?? "" }

    var preferenceApplied: HTTPFields {
        head.preferredWait.map { [.preferenceApplied: "wait=\($0)"] } ?? [:]
    }
}
