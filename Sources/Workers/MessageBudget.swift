import Foundation
import Support
import WorkerProtocol

/// What one worker may send in its life. A real one stays far below; one that was taken over can fill neither the
/// database nor the log, nor keep the service reading.
struct MessageBudget {
    /// Frames of every kind, heartbeats too: so many at once, and so many a second after that.
    static let framesAtOnce = 20_000.0
    static let framesPerSecond = 1_000.0
    /// Lines for the service's log. Those beyond are counted, not kept.
    static let logLines = 1_000
    static let metricPoints = 50_000
    static let curvePoints = 100_000
    static let phases = 500
    /// Verdicts, evaluations, assessments, lists of triggers: how many, and their bytes together.
    static let documents = 500
    static let documentBytes = 128 << 20
    /// Three pictures for each of a thousand classes, a few times.
    static let artifacts = 20_000
    static let pictures = 100_000
    static let summaries = 10
    static let wordsAboutHelpers = 10_000
    /// A million batches and as many again.
    static let parts = 1_000_000
    /// Findings in one message, and bytes of a sample's name.
    static let samplesOfMessage = 1_000
    static let nameBytes = 4_096

    private var frames = Self.framesAtOnce
    private var refilled = ContinuousClock.now
    private var used: [String: Int] = [:]
    /// Lines that were not kept.
    private(set) var droppedLines = 0

    /// - Returns: false for a log line that is only counted.
    /// - Throws: `Problem` `worker-flood`.
    mutating func admit(_ message: WorkerMessage, at now: ContinuousClock.Instant = .now) throws -> Bool {
        let passed = refilled.duration(to: now) / .seconds(1)
        frames = min(Self.framesAtOnce, frames + max(0, passed) * Self.framesPerSecond)
        refilled = now
        frames -= 1
        guard frames >= 0 else { throw Self.flood("messages", "\(Int(Self.framesPerSecond)) a second") }
        switch message {
        case .log:
            guard used["log lines", default: 0] < Self.logLines else {
                droppedLines += 1
                return false
            }
            try take(1, of: "log lines", most: Self.logLines)
        case .metrics(let points): try take(points.count, of: "metric points", most: Self.metricPoints)
        case .curve(let points): try take(points.count, of: "curve points", most: Self.curvePoints)
        case .samples(let samples):
            guard samples.count <= Self.samplesOfMessage else {
                throw Self.flood("samples", "\(Self.samplesOfMessage) a message")
            }
            guard samples.allSatisfy({ $0.name.utf8.count <= Self.nameBytes }) else {
                throw Self.flood("bytes of a sample's name", "\(Self.nameBytes)")
            }
        case .phaseFinished: try take(1, of: "finished phases", most: Self.phases)
        case .preliminary, .verdict, .evaluation, .assessment, .triggers:
            try take(1, of: "documents", most: Self.documents)
            // Rare, so that encoding it once more costs little.
            try take(Frame.encode(message).count, of: "bytes of documents", most: Self.documentBytes)
        case .artifact: try take(1, of: "files", most: Self.artifacts)
        case .rendered(let samples): try take(samples.count, of: "pictures", most: Self.pictures)
        case .uploadChecked, .modelProbed, .datasetImported, .agreement:
            try take(1, of: "summaries", most: Self.summaries)
        case .seeking, .dismissed, .helping:
            try take(1, of: "words about helpers", most: Self.wordsAboutHelpers)
        case .part(let part, _):
            try take(1, of: "parts", most: Self.parts)
            guard part.samples.count <= WorkerPart.mostSamples else {
                throw Self.flood("samples of a part", "\(WorkerPart.mostSamples)")
            }
        case .partFinished: try take(1, of: "parts", most: Self.parts)
        case .heartbeat, .progress, .failed, .finished: break
        }
        return true
    }

    private mutating func take(_ count: Int, of kind: String, most: Int) throws {
        let (sum, overflow) = used[kind, default: 0].addingReportingOverflow(count)
        guard !overflow, sum <= most else { throw Self.flood(kind, "\(most)") }
        used[kind] = sum
    }

    private static func flood(_ kind: String, _ most: String) -> Problem {
        Problem(
            .unprocessable, code: "worker-flood", title: "The worker sent more than any task needs",
            detail: "It was stopped: more \(kind) came than the most that is taken, \(most).",
            fix: "Do not trust this input. If it is your own, report it with the service's version.")
    }
}
