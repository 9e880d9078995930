import Findings
import Foundation
import Support

/// An uploaded model or data set, as the service shows it.
public struct InputReply: Decodable, Sendable {
    public enum State: String, Decodable, Sendable { case importing, ready, rejected }

    public var id: String
    public var name: String
    public var state: State
    public var bytes: Int
    /// Lower-case hexadecimal.
    public var sha256: String
    /// Why it was rejected.
    public var problem: ProblemDocument?
}

/// A job, as the service shows it.
public struct JobReply: Decodable, Sendable {
    public enum State: String, Decodable, Sendable {
        case queued, running, cancelling, succeeded, failed, cancelled

        public var isTerminal: Bool { self == .succeeded || self == .failed || self == .cancelled }
    }

    public struct Progress: Decodable, Sendable {
        /// 0 to 1, of the whole job.
        public var fraction: Double
        public var etaSeconds: Double?

        enum CodingKeys: String, CodingKey {
            case fraction
            case etaSeconds = "eta_seconds"
        }
    }

    public var id: String
    public var type: JobType
    public var state: State
    public var phase: Phase?
    public var progress: Progress
    /// What the verdict will be; nil from services that don't say.
    public var preliminary: PreliminaryVerdict?
    public var verdict: Verdict?
    public var metrics: PurificationMetrics?
    public var modelChanged: Bool?
    public var error: ProblemDocument?
    public var createdAt: String
    public var links: [String: String]

    enum CodingKeys: String, CodingKey {
        case id, type, state, phase, progress, preliminary, verdict, metrics, error, links
        case modelChanged = "model_changed"
        case createdAt = "created_at"
    }
}

/// A page of a list.
public struct PageReply<Item: Decodable & Sendable>: Decodable, Sendable {
    public var items: [Item]
    public var nextCursor: String?

    enum CodingKeys: String, CodingKey {
        case items
        case nextCursor = "next_cursor"
    }
}

/// An unfinished or finished resumable upload.
struct UploadResource: Decodable, Sendable {
    var id: String
    var state: String
    var offset: Int
    var length: Int
    var problem: ProblemDocument?
    var links: [String: String]
}

/// `application/problem+json` (RFC 9457) of the service.
public struct ProblemDocument: Decodable, Sendable {
    public var title: String
    public var status: Int?
    public var code: String?
    public var detail: String?
    public var location: String?
    public var fix: String?

    /// - Parameter status: of the answer that it came in, where it names none.
    public func problem(status fallback: Int = 500) -> Problem {
        Problem(
            .init(status: status ?? fallback), code: code ?? "service-refused", title: title,
            detail: detail ?? "The service gave no detail.", location: location, fix: fix)
    }
}

extension Problem.Category {
    /// What an HTTP status stands for.
    init(status: Int) {
        self =
            switch status {
            case 401: .unauthenticated
            case 403: .forbidden
            case 404: .notFound
            case 409, 423: .conflict
            case 410: .gone
            case 411: .lengthRequired
            case 413: .tooLarge
            case 415: .unsupportedFormat
            case 422: .unprocessable
            case 429: .rateLimited
            case 507: .insufficientStorage
            case 502, 503, 504: .unavailable
            case 400..<500: .malformed
            default: .internal
            }
    }
}
