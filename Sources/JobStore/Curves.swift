import Findings
import Foundation
import GRDB
import Support

/// One series over the steps of a phase (and round).
public struct Curve: Hashable, Sendable {
    public var phase: Phase
    public var round: Int
    public var name: String
    /// In order of step.
    public var points: [CurvePoint]
}

extension JobStore {
    /// Stores points, and an event for each that is new. A restarted phase gives its points again: one with the
    /// same step replaces the earlier, so that none is doubled.
    /// - Throws: `StaleAttempt`, or a `DatabaseError` for values that no point can have.
    public func record(_ points: [CurvePoint], by attempt: JobAttempt) throws {
        // Not a number where the training diverged: no JSON has it, and no chart shows it.
        let points = points.filter { $0.value.isFinite }
        guard !points.isEmpty else { return }
        try fenced(attempt) { database in
            // In SQL, which tells a point that is new or changed from one that is repeated.
            let statement = try database.cachedStatement(
                sql: """
                    INSERT INTO curves (job, phase, round, name, step, value)
                    VALUES (:job, :phase, :round, :name, :step, :value)
                    ON CONFLICT DO UPDATE SET value = excluded.value WHERE value <> excluded.value
                    """)
            for point in points {
                let row = try RowOf(content: point, job: attempt.seq).databaseDictionary
                try statement.execute(arguments: StatementArguments(row))
                if database.changesCount > 0 {
                    try Self.append(.curve, point, to: attempt.seq, now: now, database)
                }
            }
        }
    }

    /// In order of phase, round and name.
    /// - Throws: `Problem` `job-not-found`.
    public func curves(of id: String) async throws -> [Curve] {
        try await read { database in
            _ = try Self.job(id, database)
            let rows = try Row.fetchAll(
                database, sql: "SELECT * FROM curves WHERE job = ? ORDER BY phase, round, name, step",
                arguments: [try Self.sequence(of: id, database)])
            var curves: [Curve] = []
            for row in rows {
                let point = CurvePoint(
                    phase: try row.enumCase("phase"), round: row["round"], name: row["name"],
                    step: row["step"], value: row["value"])
                if let last = curves.last, last.phase == point.phase, last.round == point.round,
                    last.name == point.name
                {
                    curves[curves.count - 1].points.append(point)
                } else {
                    curves.append(
                        Curve(phase: point.phase, round: point.round, name: point.name, points: [point]))
                }
            }
            return Phase.allCases.flatMap { phase in curves.filter { $0.phase == phase } }
        }
    }
}
