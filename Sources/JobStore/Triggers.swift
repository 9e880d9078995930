import Findings
import Foundation
import GRDB
import Support

extension JobStore {
    /// Replaces the job's estimated triggers.
    /// - Throws: `StaleAttempt`, or a `DatabaseError` for values that no trigger can have.
    public func record(_ triggers: [TriggerFinding], by attempt: JobAttempt) throws {
        try fenced(attempt) { database in
            try database.execute(sql: "DELETE FROM triggers WHERE job = ?", arguments: [attempt.seq])
            for trigger in triggers { try RowOf(content: trigger, job: attempt.seq).insert(database) }
        }
    }

    /// The one that works best first.
    /// - Throws: `Problem` `job-not-found`.
    public func triggers(of id: String) async throws -> [TriggerFinding] {
        try await read { database in
            _ = try Self.job(id, database)
            return try Row.fetchAll(
                database, sql: "SELECT * FROM triggers WHERE job = ? ORDER BY effect - random DESC, label",
                arguments: [try Self.sequence(of: id, database)]
            ).map {
                TriggerFinding(
                    label: $0["label"], name: $0["name"], form: TriggerFinding.Form(rawValue: $0["form"]),
                    effect: $0["effect"],
                    random: $0["random"], amplification: $0["amplification"])
            }
        }
    }

    public func record(_ assessment: Assessment, by attempt: JobAttempt) throws {
        let row = AssessmentRow(job: attempt.seq, data: try Columns.json(assessment))
        try fenced(attempt) { try row.insert($0, onConflict: .replace) }
    }

    /// What the worker measured class by class (nil: nothing), and how many labels the job changed.
    /// - Throws: `Problem` `job-not-found`.
    public func assessment(of id: String) async throws -> (assessment: Assessment?, labelsChanged: Int) {
        try await read { database in
            _ = try Self.job(id, database)
            let seq = try Self.sequence(of: id, database)
            let row = try Row.fetchOne(
                database, sql: "SELECT data FROM assessments WHERE job = ?", arguments: [seq])
            let changed = try Int.fetchOne(
                database,
                sql: """
                    SELECT count(*) FROM samples WHERE job = ? AND flagged = 1
                        AND restored_label <> given_label
                    """, arguments: [seq])
            return (try row?.json("data"), changed ?? 0)
        }
    }
}
