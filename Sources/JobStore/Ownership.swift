import GRDB
import Support

/// What belongs to the API key that made it; the raw value names it in problems.
public enum OwnedKind: String, Hashable, Sendable, CaseIterable {
    case model, dataset, upload, job

    /// Also its collection in the REST API.
    public var table: String { rawValue + "s" }
}

extension JobStore {
    /// - Throws: `.notFound` for what is another's, or nobody's, as for what does not exist.
    public func requireOwned(_ kind: OwnedKind, _ id: String, by owner: String) async throws {
        // A removed job's owner is told that it was removed.
        let removed = kind == .job ? "OR EXISTS (SELECT 1 FROM tombstones WHERE id = ?1 AND owner = ?2)" : ""
        let isOwned = try await read { database in
            try Bool.fetchOne(
                database,
                sql: "SELECT EXISTS (SELECT 1 FROM \(kind.table) WHERE id = ?1 AND owner = ?2) \(removed)",
                arguments: [id, owner])
        }
        guard isOwned == true else { throw Self.notFound(kind.rawValue, id) }
    }
}
