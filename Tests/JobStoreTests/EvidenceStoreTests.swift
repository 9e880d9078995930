import Findings
import Foundation
import GRDB
import Support
import Testing

@testable import JobStore

@Suite struct EvidenceStoreTests {
    @Test func histogramsHoldEverySampleOnceHoweverFarOneLies() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        var samples = (0..<500).map {
            TestStore.sample($0, score: Double($0 % 100) / 100, flagged: $0 % 5 == 0)
        }
        samples[3].boundaryDistance = 1_000
        // Nobody looked for theirs: they are in no histogram.
        let unknown = (500..<540).map { index in
            var sample = TestStore.sample(index)
            (sample.boundaryDistance, sample.adversarialLabel) = (nil, nil)
            return sample
        }
        try test.store.record(samples + unknown, by: attempt)
        let found = try await test.store.evidence(of: attempt.job)
        let edges = found.distances.edges
        #expect(edges == edges.sorted() && edges.first == 0 && edges.last == 1_000)
        // All but the last bin have one width, that of the others' distances.
        #expect(edges[39] - edges[38] < 0.2)
        let histogram = try #require(found.distances.classes.first)
        #expect(histogram.flagged.reduce(0, +) == 100 && histogram.unflagged.reduce(0, +) == 400)
        for bin in 0..<40 {
            let expected = samples.count {
                guard let distance = $0.boundaryDistance else { return false }
                return edges[bin] <= distance && (distance < edges[bin + 1] || bin == 39)
            }
            // Rounding may move what lies on an edge into the bin beside it.
            #expect(abs(histogram.flagged[bin] + histogram.unflagged[bin] - expected) <= 5, "\(bin)")
        }
        #expect(found.adversarialLabels.map(\.count) == [400, 100])
    }

    @Test func distancesOfZeroHaveAHistogramToo() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        try test.store.record((0..<3).map { TestStore.sample($0, score: 0) }, by: attempt)
        let found = try await test.store.evidence(of: attempt.job)
        #expect(found.distances.classes.first?.unflagged.first == 3)
    }

    @Test func pointsOfAnotherAttemptReplaceEachOther() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        func point(_ step: Int, _ value: Double) -> CurvePoint {
            CurvePoint(phase: .refinement, round: 1, name: "loss", step: step, value: value)
        }
        try test.store.record([point(1, 3), point(2, 2), point(3, .nan)], by: attempt)
        try test.store.record([point(2, 2), point(1, 4)], by: attempt)
        let curves = try await test.store.curves(of: attempt.job)
        #expect(curves.map(\.points) == [[point(1, 4), point(2, 2)]])
        let events = try await test.store.events(of: attempt.job).filter { $0.kind == .curve }
        #expect(events.count == 3)
    }

    /// A database that the version before has written is taken over whole.
    @Test func theEvidenceMigrationKeepsEventsAndArtifacts() throws {
        let path = NSTemporaryDirectory() + "burn-migration-\(UUID().uuidString).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let queue = try DatabaseQueue(path: path)
        try DatabaseMigrator(Array(Migrations.all.prefix(4))).apply(to: queue)
        let (id, sha) = (String(repeating: "0", count: 26), String(repeating: "a", count: 64))
        try queue.write { database in
            try database.execute(
                sql: """
                    INSERT INTO models (id, name, sha256, size, state, created_at)
                        VALUES ('mdl_\(id)', 'm', '\(sha)', 1, 'importing', 0);
                    INSERT INTO datasets (id, name, sha256, size, state, created_at)
                        VALUES ('dst_\(id)', 'd', '\(sha)', 1, 'importing', 0);
                    INSERT INTO jobs (id, type, request, model_sha256, model_ref, dataset_ref, state, attempt,
                        lease, started_at, created_at)
                        VALUES ('job_\(id)', 'scan', '{}', '\(sha)', 'mdl_\(id)', 'dst_\(id)', 'running', 1, 'l', 1, 0);
                    INSERT INTO events (job, at, kind, data) VALUES (1, 0, 'progress', '{}'), (1, 0, 'phase', '{}');
                    INSERT INTO artifacts VALUES (1, 'purified_model', '\(sha)', 7);
                    """)
        }
        try DatabaseMigrator(Migrations.all).apply(to: queue)
        try queue.write { database in
            #expect(try Int.fetchAll(database, sql: "SELECT id FROM events ORDER BY id") == [1, 2])
            try database.execute(
                sql: "INSERT INTO events (job, at, kind, data) VALUES (1, 0, 'curve', '{}')")
            #expect(database.lastInsertedRowID == 3)
            let row = try #require(try Row.fetchOne(database, sql: "SELECT * FROM artifacts"))
            #expect(row["label"] as Int == -1 && row["size"] as Int == 7)
            for sql in [
                "INSERT INTO artifacts VALUES (1, 'trigger_clean', -1, '\(sha)', 1)",
                "INSERT INTO artifacts VALUES (1, 'purified_model', 2, '\(sha)', 1)",
                "DELETE FROM events", "UPDATE events SET at = 1",
            ] {
                #expect(throws: DatabaseError.self, "\(sql)") { try database.execute(sql: sql) }
            }
            try database.execute(sql: "INSERT INTO artifacts VALUES (1, 'trigger_clean', 2, '\(sha)', 1)")
        }
    }
}
