import CNettle
import Foundation

/// HMAC-SHA256 (RFC 2104).
public enum MessageAuthentication {
    public static func code(of message: some ContiguousBytes, key: [UInt8]) -> [UInt8] {
        var context = hmac_sha256_ctx()
        key.withUnsafeBufferPointer { nettle_hmac_sha256_set_key(&context, $0.count, $0.baseAddress) }
        message.withUnsafeBytes { bytes in
            // Nettle reads so many bytes from there and keeps no pointer.
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
            nettle_hmac_sha256_update(&context, bytes.count, start)
        }
        let size = Digest.Algorithm.sha256.byteCount
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            nettle_hmac_sha256_digest(&context, size, buffer.baseAddress)
            count = size
        }
    }
}
