import Foundation
import JobStore
import Support

/// The keys in memory, so that a request costs no look at the database. One process has the database, and
/// every change of a key goes through here: a revocation counts from the next request on.
public final class KeyRing: Sendable {
    enum Refusal: String, Error {
        case unknown = "the key is not known"
        case expired = "the key has expired"
        case revoked = "the key was revoked"
    }

    private let records = Mutex<[String: KeyRecord]>([:])

    public init(_ keys: [KeyRecord] = []) {
        for key in keys { put(key) }
    }

    func put(_ key: KeyRecord) { records.withLock { $0[key.id] = key } }

    /// Whether there ever was a key: from then on one is needed, also when all are revoked.
    public var isUsed: Bool { records.withLock { !$0.isEmpty } }

    /// Whether somebody could get in with a key now.
    public func hasUsableKey(at date: Date = Date()) -> Bool {
        records.withLock { $0.values.contains { $0.isUsable(at: date) } }
    }

    /// Compared with when the id is unknown, so that an answer takes as long as for a known one.
    private static let nothing = String(repeating: "0", count: 64)

    func authenticate(_ token: APIToken, at date: Date = Date()) throws(Refusal) -> KeyRecord {
        let record = records.withLock { $0[token.keyID] }
        let matches = APIToken.constantTimeEqual(token.secretSHA256, record?.secretSHA256 ?? Self.nothing)
        guard let record, matches else { throw .unknown }
        if record.revokedAt != nil { throw .revoked }
        guard record.isUsable(at: date) else { throw .expired }
        return record
    }
}
