import CNettle
import Foundation

/// The SHA of bytes that come piece by piece. A copy goes on by itself.
public struct Digest: Sendable {
    public enum Algorithm: String, Sendable, CaseIterable {
        case sha1, sha256, sha512

        public var byteCount: Int {
            switch self {
            case .sha1: Int(SHA1_DIGEST_SIZE)
            case .sha256: Int(SHA256_DIGEST_SIZE)
            case .sha512: Int(SHA512_DIGEST_SIZE)
            }
        }
    }

    private enum State: Sendable {
        case sha1(sha1_ctx), sha256(sha256_ctx), sha512(sha512_ctx)
    }

    private var state: State

    public init(_ algorithm: Algorithm) {
        switch algorithm {
        case .sha1:
            var context = sha1_ctx()
            nettle_sha1_init(&context)
            state = .sha1(context)
        case .sha256:
            var context = sha256_ctx()
            nettle_sha256_init(&context)
            state = .sha256(context)
        case .sha512:
            var context = sha512_ctx()
            nettle_sha512_init(&context)
            state = .sha512(context)
        }
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        // Nettle reads so many bytes from there and keeps no pointer.
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        switch state {
        case .sha1(var context):
            nettle_sha1_update(&context, bytes.count, start)
            state = .sha1(context)
        case .sha256(var context):
            nettle_sha256_update(&context, bytes.count, start)
            state = .sha256(context)
        case .sha512(var context):
            nettle_sha512_update(&context, bytes.count, start)
            state = .sha512(context)
        }
    }

    public mutating func update(_ bytes: some ContiguousBytes) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest of what has come so far.
    public var bytes: [UInt8] {
        switch state {
        case .sha1(var context): Self.bytes(.sha1) { nettle_sha1_digest(&context, $0, $1) }
        case .sha256(var context): Self.bytes(.sha256) { nettle_sha256_digest(&context, $0, $1) }
        case .sha512(var context): Self.bytes(.sha512) { nettle_sha512_digest(&context, $0, $1) }
        }
    }

    public static func sha256(_ bytes: some ContiguousBytes) -> [UInt8] {
        var digest = Digest(.sha256)
        digest.update(bytes)
        return digest.bytes
    }

    private static func bytes(
        _ algorithm: Algorithm, _ write: (Int, UnsafeMutablePointer<UInt8>?) -> Void
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: algorithm.byteCount) { buffer, count in
            write(algorithm.byteCount, buffer.baseAddress)
            count = algorithm.byteCount
        }
    }
}
