import Foundation
import HTTPServer
import Support

extension HTTPRequestHead {
    /// Upload-Checksum: an algorithm and a digest in base64. Nil without the header.
    func uploadChecksum() throws -> PieceChecksum? {
        guard let text = headers.first(.uploadChecksum) else { return nil }
        let parts = text.split(separator: " ")
        guard parts.count == 2, let algorithm = PieceChecksum.Algorithm(rawValue: String(parts[0])) else {
            throw Tus.refusal(
                nil, .malformed, "checksum-unsupported", "The checksum's algorithm is not supported",
                "Upload-Checksum is \(text.prefix(80)).", at: "Upload-Checksum",
                fix: "Send one of \(PieceChecksum.algorithms), a space, and the digest in base64.")
        }
        guard let digest = Data(base64Encoded: String(parts[1])), digest.count == algorithm.byteCount else {
            throw Tus.refusal(
                nil, .malformed, "checksum-malformed", "The checksum is not valid",
                "\(parts[1].prefix(120)) is not a digest of \(algorithm.byteCount) bytes in base64.",
                at: "Upload-Checksum",
                fix: "Such as: sha256 $(openssl dgst -sha256 -binary PIECE | base64).")
        }
        return PieceChecksum(algorithm: algorithm, expected: digest)
    }
}

/// The checksum of one request's piece, computed while it comes.
struct PieceChecksum: Sendable {
    // The protocol demands SHA-1; it guards against faults on the way, not against anybody.
    typealias Algorithm = Digest.Algorithm

    static let algorithms = Algorithm.allCases.map(\.rawValue).joined(separator: ",")

    let algorithm: Algorithm
    private let expected: Data
    private var digest: Digest

    init(algorithm: Algorithm, expected: Data) {
        self.algorithm = algorithm
        self.expected = expected
        digest = Digest(algorithm)
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) { digest.update(bytes) }

    var matches: Bool { Data(digest.bytes) == expected }
}
