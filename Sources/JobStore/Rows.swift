import Findings
import Foundation
import GRDB
import WorkerProtocol

/// A row to insert: its coding keys, in snake case, are the columns; times are seconds since 1970.
protocol NewRow: Encodable, PersistableRecord {}

extension NewRow {
    static var databaseColumnEncodingStrategy: DatabaseColumnEncodingStrategy { .convertToSnakeCase }

    static func databaseDateEncodingStrategy(for column: String) -> DatabaseDateEncodingStrategy {
        .timeIntervalSince1970
    }
}

struct ArtifactRow: NewRow {
    static let databaseTableName = "artifacts"
    let job: Int64
    let role: WorkerArtifact.Role
    /// -1 for what is of the whole job.
    let label: Int
    let sha256: String
    let size: Int
}

struct AssessmentRow: NewRow {
    static let databaseTableName = "assessments"
    let job: Int64
    let data: String
}

struct EventRow: NewRow {
    static let databaseTableName = "events"
    let job: Int64
    let at: Double
    let kind: JobEvent.Kind
    let data: String
}

struct ReviewRow: NewRow {
    static let databaseTableName = "reviews"
    let job: Int64
    let sample: Int
    let decision: SampleReview.Decision
    let label: Int?
}

/// A type of the interface that is a row as it is. It is none of GRDB's records itself, so that GRDB stays in here.
protocol RowContent: Encodable {
    static var table: String { get }
}

extension AuditEntry: RowContent { static let table = "audit" }
extension CurvePoint: RowContent { static let table = "curves" }
extension MetricPoint: RowContent { static let table = "metrics" }
extension PhaseRecord: RowContent { static let table = "phases" }
extension TriggerFinding: RowContent { static let table = "triggers" }
extension UploadRecord: RowContent { static let table = "uploads" }

struct RowOf<Content: RowContent>: NewRow {
    static var databaseTableName: String { Content.table }

    private enum JobKey: CodingKey { case job }

    let content: Content
    /// In tables of what jobs have.
    var job: Int64?

    func encode(to encoder: any Encoder) throws {
        try content.encode(to: encoder)
        guard let job else { return }
        var container = encoder.container(keyedBy: JobKey.self)
        try container.encode(job, forKey: .job)
    }
}
