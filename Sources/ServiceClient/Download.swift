import Foundation
import FoundationNetworking
import Support

/// A file that was fetched.
public struct Download: Sendable {
    public var path: String
    public var bytes: Int
    /// Of what lies on the disk, in lower-case hexadecimal.
    public var sha256: String
    /// Whether the service said what it must be.
    public var isVerified: Bool
}

extension ServiceClient {
    /// Fetches into a file, checked against Repr-Digest (RFC 9530) where the service sends one. The file is whole or
    /// not there.
    /// - Parameter requiresDigest: whether a file without a digest is refused.
    /// - Throws: `Problem` `download-differs`.
    public func download(_ path: String, to file: String, requiresDigest: Bool = true) async throws
        -> Download
    {
        try await backoff.retrying {
            try await downloadOnce(path, to: file, requiresDigest: requiresDigest)
        }
    }

    private func downloadOnce(_ path: String, to file: String, requiresDigest: Bool) async throws -> Download
    {
        let temporary: URL
        let response: URLResponse
        do {
            (temporary, response) = try await session.download(for: request("GET", path))
        } catch {
            try Task.checkCancellation()
            throw unreachable(error)
        }
        defer { try? FileManager.default.removeItem(at: temporary) }
        let answer = try Self.answer(Data(), response)
        guard answer.status == 200 else {
            let body = (try? FileHandle(forReadingFrom: temporary).read(upToCount: 1 << 20)) ?? nil
            throw Self.refusal(Answer(status: answer.status, headers: answer.headers, body: body ?? Data()))
        }
        let found = try FileDigest(path: temporary.path)
        let wanted = answer["Repr-Digest"].flatMap(Self.sha256(ofDigestField:))
        if let wanted, wanted != found.sha256 {
            throw Problem(
                .unavailable, code: "download-differs", title: "The download is not what the service holds",
                detail: "It has SHA-256 \(found.sha256), the service says \(wanted).", fix: "Try again.")
        }
        if wanted == nil, requiresDigest {
            throw Problem(
                .internal, code: "download-unverified", title: "The download can't be checked",
                detail: "The service sent no Repr-Digest with \(path).")
        }
        try Self.put(temporary, at: file)
        return Download(path: file, bytes: found.bytes, sha256: found.sha256, isVerified: wanted != nil)
    }

    /// The `sha-256` member of a digest field, in lower-case hexadecimal.
    static func sha256(ofDigestField field: String) -> String? {
        for member in field.split(separator: ",") {
            let parts = member.trimmingCharacters(in: .whitespaces).split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "sha-256", parts[1].hasPrefix(":"),
                parts[1].hasSuffix(":"), parts[1].count > 2,
                let bytes = Data(base64Encoded: String(parts[1].dropFirst().dropLast())), bytes.count == 32
            else { continue }
            return bytes.hexadecimal
        }
        return nil
    }

    /// The temporary file may lie on another file system: it is copied beside its place, then renamed.
    private static func put(_ temporary: URL, at file: String) throws {
        let part = "\(file).\(getpid()).part"
        do {
            try? FileManager.default.removeItem(atPath: part)
            try FileManager.default.copyItem(atPath: temporary.path, toPath: part)
        } catch { throw PrivateFile.failure(part) }
        do {
            try DurableFile.synchronise(part) { _, path, code in PrivateFile.failure(path, code) }
            try DurableFile.move(part, to: file) { _, path, code in PrivateFile.failure(path, code) }
        } catch {
            try? FileManager.default.removeItem(atPath: part)
            throw error
        }
    }
}
