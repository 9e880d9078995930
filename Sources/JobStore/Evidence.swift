import Foundation
import GRDB

/// A job's samples in numbers, as `GET /v1/jobs/{id}/evidence` gives them.
public struct SampleEvidence: Codable, Hashable, Sendable {
    public struct Histograms: Codable, Hashable, Sendable {
        public struct Class: Codable, Hashable, Sendable {
            /// The predicted class.
            public var label: Int
            /// Counts, one for each bin.
            public var unflagged: [Int]
            public var flagged: [Int]
        }

        /// One more than bins, rising. A bin holds its lower edge, the last one both.
        public var edges: [Double]
        public var classes: [Class]
    }

    public struct Restored: Codable, Hashable, Sendable {
        public var given: Int
        public var restored: Int
        public var count: Int
    }

    public struct Adversarial: Codable, Hashable, Sendable {
        public var predicted: Int
        public var adversarial: Int
        public var flagged: Bool
        public var count: Int
    }

    public var distances: Histograms
    /// Of flagged samples.
    public var labels: [Restored]
    public var adversarialLabels: [Adversarial]
}

extension JobStore {
    private static let bins = 40
    /// Pairs of labels beyond these, the rarest, are left out.
    private static let mostPairs = 20_000

    /// Counts over all samples of a job, made by the database: nothing per sample is held. Distances and adversarial labels are
    /// those that were looked for.
    /// - Throws: `Problem` `job-not-found`, `samples-not-ready` (conflict).
    public func evidence(of id: String) async throws -> SampleEvidence {
        try await read { database in
            let seq = try Self.requireSamples(of: id, database)
            let labels = try Row.fetchAll(
                database,
                sql: """
                    SELECT given_label AS given, restored_label AS restored, count(*) AS n FROM samples
                    WHERE job = ? AND flagged = 1 GROUP BY given, restored
                    ORDER BY n DESC, given, restored LIMIT \(Self.mostPairs)
                    """, arguments: [seq])
            let adversarial = try Row.fetchAll(
                database,
                sql: """
                    SELECT predicted_label AS predicted, adversarial_label AS adversarial, flagged,
                        count(*) AS n FROM samples WHERE job = ? AND adversarial_label IS NOT NULL
                    GROUP BY predicted, adversarial, flagged
                    ORDER BY n DESC, predicted, adversarial, flagged LIMIT \(Self.mostPairs)
                    """, arguments: [seq])
            return SampleEvidence(
                distances: try Self.histograms(seq, database),
                labels: labels.map { .init(given: $0["given"], restored: $0["restored"], count: $0["n"]) },
                adversarialLabels: adversarial.map {
                    .init(
                        predicted: $0["predicted"], adversarial: $0["adversarial"], flagged: $0["flagged"],
                        count: $0["n"])
                })
        }
    }

    private static func histograms(_ seq: Int64, _ database: Database) throws -> SampleEvidence.Histograms {
        let edges = try edges(seq, database)
        // The widest bin may be the last: all before it have one width.
        let width = edges[1] - edges[0]
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT predicted_label, flagged,
                    min(\(bins - 1), CAST(boundary_distance / ? AS INTEGER)) AS bin, count(*) AS n
                FROM samples WHERE job = ? AND boundary_distance IS NOT NULL
                GROUP BY predicted_label, flagged, bin ORDER BY predicted_label
                """, arguments: [width, seq])
        var classes: [SampleEvidence.Histograms.Class] = []
        for row in rows {
            let label: Int = row["predicted_label"]
            if classes.last?.label != label {
                let none = Array(repeating: 0, count: bins)
                classes.append(.init(label: label, unflagged: none, flagged: none))
            }
            let (bin, count): (Int, Int) = (max(0, row["bin"]), row["n"])
            if row["flagged"] {
                classes[classes.count - 1].flagged[bin] += count
            } else {
                classes[classes.count - 1].unflagged[bin] += count
            }
        }
        return SampleEvidence.Histograms(edges: edges, classes: classes)
    }

    /// From 0 to the largest distance in bins of one width; where a few samples lie far beyond the others, the
    /// last bin takes them all.
    private static func edges(_ seq: Int64, _ database: Database) throws -> [Double] {
        let count =
            try Int.fetchOne(
                database, sql: "SELECT count(boundary_distance) FROM samples WHERE job = ?",
                arguments: [seq]) ?? 0
        func distance(_ place: Int) throws -> Double {
            try Double.fetchOne(
                database,
                sql: """
                    SELECT boundary_distance FROM samples WHERE job = ? AND boundary_distance IS NOT NULL
                    ORDER BY boundary_distance DESC LIMIT 1 OFFSET ?
                    """, arguments: [seq, place]) ?? 0
        }
        let largest = max(try distance(0), 1e-9)
        let nearly = try distance(count / 100)
        let end = nearly > 0 && largest > 3 * nearly ? 3 * nearly : largest
        return (0..<bins).map { end * Double($0) / Double(bins) } + [largest]
    }
}
