import Findings
import GRDB

/// Which samples of a job, in which order.
public struct SampleQuery: Hashable, Sendable {
    public enum Key: String, Codable, Hashable, Sendable, CaseIterable {
        case index, score, coherence
        case boundaryDistance = "boundary_distance"
        case givenLabel = "given_label"
    }

    public var flagged: Bool?
    /// Only samples with this given, predicted, restored label.
    public var givenLabel: Int?
    public var predictedLabel: Int?
    public var restoredLabel: Int?
    /// Only samples that somebody has decided about, or nobody.
    public var reviewed: Bool?
    public var key: Key
    public var descending: Bool

    public init(
        flagged: Bool? = nil, givenLabel: Int? = nil, predictedLabel: Int? = nil, restoredLabel: Int? = nil,
        reviewed: Bool? = nil, key: Key = .index, descending: Bool = false
    ) {
        self.flagged = flagged
        self.givenLabel = givenLabel
        self.predictedLabel = predictedLabel
        self.restoredLabel = restoredLabel
        self.reviewed = reviewed
        self.key = key
        self.descending = descending
    }
}

extension SampleQuery {
    static let selection = """
        SELECT s.*, r.decision AS review, r.label AS review_label FROM samples AS s
        LEFT JOIN reviews AS r ON r.job = s.job AND r.sample = s.sample
        """

    private var column: String { key == .index ? "s.sample" : "s." + key.rawValue }

    func cursorName(_ job: String) -> String {
        let filters = [
            flagged.map { $0 ? 1 : 0 }, givenLabel, predictedLabel, restoredLabel,
            reviewed.map { $0 ? 1 : 0 },
        ]
        let named = filters.map { $0.map(String.init) ?? "" }.joined(separator: "|")
        return "samples|\(job)|\(named)|\(key.rawValue)|\(descending)"
    }

    /// In a cursor, for a key that is not known; no distance is negative.
    private static let unknown = -1.0

    func keyValue(_ sample: SampleFinding) -> Double {
        switch key {
        case .index: 0
        case .score: sample.score
        case .coherence: sample.coherence
        case .boundaryDistance: sample.boundaryDistance ?? Self.unknown
        case .givenLabel: Double(sample.givenLabel)
        }
    }

    /// Samples without the key come last, in either direction.
    func rows(job: Int64, after position: Cursor?, limit: Int, _ database: Database) throws -> [Row] {
        guard key == .boundaryDistance else {
            return try rows(job: job, after: position, limit: limit, [], database)
        }
        let isAmongUnknown = position?.real == Self.unknown
        let known =
            isAmongUnknown
            ? []
            : try rows(job: job, after: position, limit: limit, ["\(column) IS NOT NULL"], database)
        guard known.count < limit else { return known }
        var others = self
        others.key = .index
        return try known
            + others.rows(
                job: job, after: isAmongUnknown ? position : nil, limit: limit - known.count,
                ["s.boundary_distance IS NULL"], database)
    }

    private func rows(
        job: Int64, after position: Cursor?, limit: Int, _ further: [String], _ database: Database
    ) throws -> [Row] {
        let comparison = descending ? "<" : ">"
        let order = descending ? "DESC" : "ASC"
        var conditions = ["s.job = :job"] + further
        // Written out, so that the partial index of flagged samples can serve.
        if let flagged { conditions.append("s.flagged = \(flagged ? 1 : 0)") }
        if givenLabel != nil { conditions.append("s.given_label = :given") }
        if predictedLabel != nil { conditions.append("s.predicted_label = :predicted") }
        if restoredLabel != nil { conditions.append("s.restored_label = :restored") }
        if let reviewed { conditions.append("r.sample IS \(reviewed ? "NOT NULL" : "NULL")") }
        if position != nil {
            conditions.append(
                key == .index
                    ? "s.sample \(comparison) :row" : "(\(column), s.sample) \(comparison) (:key, :row)")
        }
        let ordering = key == .index ? "s.sample \(order)" : "\(column) \(order), s.sample \(order)"
        return try Row.fetchAll(
            database,
            sql: """
                \(Self.selection) WHERE \(conditions.joined(separator: " AND "))
                ORDER BY \(ordering) LIMIT :limit
                """,
            arguments: JobStore.arguments([
                ("job", job), ("limit", limit), ("given", givenLabel), ("predicted", predictedLabel),
                ("restored", restoredLabel), ("row", position?.row),
                ("key", key == .index ? nil : position?.real),
            ]))
    }
}

extension StoredSample {
    init(_ row: Row) throws {
        let finding = SampleFinding(
            index: row["sample"], name: row["name"], givenLabel: row["given_label"],
            predictedLabel: row["predicted_label"], boundaryDistance: row["boundary_distance"],
            adversarialLabel: row["adversarial_label"], coherence: row["coherence"], score: row["score"],
            flagged: row["flagged"], restoredLabel: row["restored_label"],
            labelConfidence: row["label_confidence"])
        let decision: SampleReview.Decision? = try row.optionalCase("review")
        self.init(
            finding: finding,
            review: decision.map {
                SampleReview(index: finding.index, decision: $0, label: row["review_label"])
            })
    }
}
