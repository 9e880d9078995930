import Foundation
import HTTPServer
import Support

/// The headers of tus 1.0.0 (https://tus.io/protocols/resumable-upload).
enum Tus {
    static let version = "1.0.0"
    static let extensions = "creation,creation-with-upload,expiration,checksum,termination"
    static let contentType = "application/offset+octet-stream"

    static var headers: HTTPFields { [.tusResumable: version, .cacheControl: "no-store"] }

    static func refusal(
        _ status: HTTPResponse.Status? = nil, _ category: Problem.Category, _ code: String, _ title: String,
        _ detail: String,
        at location: String? = nil, fix: String
    ) -> HTTPRefusal {
        HTTPRefusal(
            Problem(category, code: code, title: title, detail: detail, location: location, fix: fix),
            status: status, headers: headers)
    }

    /// Whatever `body` throws, with the protocol's headers.
    static func answering<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let problem as Problem {
            throw HTTPRefusal(problem, headers: headers)
        }
    }
}

/// Checked headers of a resumable upload's requests.
extension HTTPRequestHead {
    /// - Throws: 412 for a version of the protocol that is not 1.0.0.
    func requireTusVersion() throws {
        let given = headers.first(.tusResumable)
        guard given != Tus.version else { return }
        var refusal = Tus.refusal(
            .preconditionFailed, .malformed, "tus-version",
            "The version of the upload protocol is not supported",
            given.map { "Tus-Resumable is \($0.prefix(40))." } ?? "Tus-Resumable is missing.",
            at: "Tus-Resumable", fix: "Send Tus-Resumable: \(Tus.version).")
        refusal.headers[.tusVersion] = Tus.version
        throw refusal
    }

    func requiredByteCount(_ name: HTTPField.Name) throws -> Int {
        let values = headers[values: name]
        guard values.count == 1, let text = values.first, (1...18).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(text)
        else {
            throw Tus.refusal(
                nil, .malformed, "upload-header-invalid", "A header of the upload is not valid",
                "\(name) is a whole number of bytes, given once.", at: name.rawName,
                fix: "Send \(name) once, such as \(name): 1048576.")
        }
        return value
    }

    /// Upload-Metadata: keys, each with a value in base64 or without one.
    func uploadMetadata() throws -> [String: String] {
        try Self.metadata(headers[values: .uploadMetadata].joined(separator: ","))
    }

    /// - Throws: 400 for a list that the protocol does not allow, or one of more than 4096 bytes.
    static func metadata(_ text: String) throws -> [String: String] {
        let invalid = Tus.refusal(
            nil, .malformed, "upload-metadata-invalid", "Upload-Metadata is not valid",
            "It has up to 4096 bytes: key and base64 value with a space between, comma, the next; each key once.",
            at: "Upload-Metadata", fix: "Such as Upload-Metadata: kind bW9kZWw=, filename bW9kZWwucHQy.")
        var metadata: [String: String] = [:]
        guard text.utf8.count <= 4_096 else { throw invalid }
        for pair in text.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces) })
        where !pair.isEmpty {
            let parts = pair.split(separator: " ", omittingEmptySubsequences: true)
            guard (1...2).contains(parts.count), metadata[String(parts[0])] == nil,
                let bytes = Data(base64Encoded: parts.count == 2 ? String(parts[1]) : ""),
                let value = String(data: bytes, encoding: .utf8)
            else { throw invalid }
            metadata[String(parts[0])] = value
        }
        return metadata
    }

    /// The `sha-256` member of Repr-Digest (RFC 9530), in lower-case hexadecimal: the whole file's.
    func fileDigest() throws -> String? { try digest(.reprDigest) }
}
