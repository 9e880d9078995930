import Crypto
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
                at: "Upload-Checksum")
        }
        return PieceChecksum(algorithm: algorithm, expected: digest)
    }
}

/// The checksum of one request's piece, computed while it comes.
struct PieceChecksum: Sendable {
    enum Algorithm: String, Sendable, CaseIterable {
        case sha1, sha256, sha512

        var byteCount: Int {
            switch self {
            case .sha1: 20
            case .sha256: 32
            case .sha512: 64
            }
        }
    }

    static let algorithms = Algorithm.allCases.map(\.rawValue).joined(separator: ",")

    private enum Hash: Sendable {
        case sha1(Insecure.SHA1), sha256(SHA256), sha512(SHA512)
    }

    let algorithm: Algorithm
    private let expected: Data
    private var hash: Hash

    init(algorithm: Algorithm, expected: Data) {
        self.algorithm = algorithm
        self.expected = expected
        hash =
            switch algorithm {
            // The protocol demands it; it guards against faults on the way, not against anybody.
            case .sha1: .sha1(Insecure.SHA1())
            case .sha256: .sha256(SHA256())
            case .sha512: .sha512(SHA512())
            }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch hash {
        case .sha1(var hasher):
            hasher.update(bufferPointer: bytes)
            hash = .sha1(hasher)
        case .sha256(var hasher):
            hasher.update(bufferPointer: bytes)
            hash = .sha256(hasher)
        case .sha512(var hasher):
            hasher.update(bufferPointer: bytes)
            hash = .sha512(hasher)
        }
    }

    var matches: Bool {
        switch hash {
        case .sha1(let hasher): Data(hasher.finalize()) == expected
        case .sha256(let hasher): Data(hasher.finalize()) == expected
        case .sha512(let hasher): Data(hasher.finalize()) == expected
        }
    }
}
