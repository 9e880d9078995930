import Foundation
import JobStore
import Support

/// What a client sends: `burn_`, the key's id without its prefix, `_`, and 32 random bytes in base64url.
///
/// The store keeps the SHA-256 of those 256 bits and nothing else. A fast hash is right for them: slow hashes
/// (bcrypt, Argon2) make guessing dear where secrets are few enough to be guessed, as passwords are, and 2^256
/// are not. The id is public: it finds the key, so that no search compares secrets.
public struct APIToken: Sendable {
    public let keyID: String
    private let secret: String

    private static let scheme = "burn_"
    private static let idLength = 26
    private static let secretLength = 43

    /// A fresh secret for a key, from the system's random numbers.
    public init(keyID: String) {
        self.keyID = keyID
        let bytes = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) })
        secret = bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    /// Nil for text that has not the form of a token.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        let idStart = Self.scheme.utf8.count
        let secretStart = idStart + Self.idLength + 1
        guard bytes.count == secretStart + Self.secretLength, text.hasPrefix(Self.scheme),
            bytes[secretStart - 1] == UInt8(ascii: "_")
        else { return nil }
        let id = "key_" + String(decoding: bytes[idStart..<secretStart - 1], as: UTF8.self)
        guard Identifier.isValid(id, .key) else { return nil }
        keyID = id
        secret = String(decoding: bytes[secretStart...], as: UTF8.self)
    }

    /// The whole token, to be shown once.
    public var text: String { Self.scheme + keyID.dropFirst(4) + "_" + secret }

    /// In lower-case hexadecimal.
    public var secretSHA256: String {
        Digest.sha256(Data(secret.utf8)).hexadecimal
    }

    /// Compares in a time that does not depend on where the texts differ.
    static func constantTimeEqual(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
