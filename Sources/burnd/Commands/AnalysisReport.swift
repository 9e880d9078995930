import API
import Findings
import Foundation
import Support
import WorkerProtocol

/// All that a worker reported about one analysis.
struct CollectedFindings: Sendable {
    struct FinishedPhase: Encodable, Sendable {
        var phase: Phase
        var round: Int
        var seconds: Double
    }

    var verdict: Verdict?
    var metrics: PurificationMetrics?
    var phases: [FinishedPhase] = []
    var costs: [StageCost] { StageCost.split(points).costs }
    var measurements: [MetricPoint] { StageCost.split(points).others }
    /// Both.
    var points: [MetricPoint] = []
    /// File names in the output directory.
    var artifacts: [WorkerArtifact.Role: String] = [:]
    private var samplesByIndex: [Int: SampleFinding] = [:]

    var samples: [SampleFinding] { samplesByIndex.values.sorted { $0.index < $1.index } }

    mutating func take(_ message: WorkerMessage) {
        switch message {
        case .phaseFinished(let phase, let round, let seconds):
            phases.append(FinishedPhase(phase: phase, round: round, seconds: seconds))
        case .metrics(let points): self.points += points
        case .verdict(let verdict): self.verdict = verdict
        case .samples(let samples): for sample in samples { samplesByIndex[sample.index] = sample }
        case .evaluation(let metrics): self.metrics = metrics
        case .artifact(let artifact): artifacts[artifact.role] = artifact.file
        // For the service's pages.
        case .curve, .triggers, .assessment, .rendered: break
        case .heartbeat, .progress, .preliminary, .uploadChecked, .modelProbed, .agreement, .datasetImported,
            .seeking,
            .part,
            .dismissed, .helping, .partFinished, .log, .failed, .finished:
            break
        }
    }
}

/// What `--json` prints.
struct AnalysisReport: Encodable {
    struct Input<Summary: Encodable>: Encodable {
        var path: String
        var summary: Summary
    }

    /// Paths of the files written.
    struct Output: Encodable {
        var model: String?
        /// Whether that model differs from the input; nil for a scan.
        var modelChanged: Bool?
        var labels: String?
        var samples: String?
        var reports: [String] = []

        enum CodingKeys: String, CodingKey {
            case model, labels, samples, reports
            case modelChanged = "model_changed"
        }
    }

    var version = Release.version
    var type: JobType
    var model: Input<ModelSummary>
    var dataset: Input<DatasetSummary>
    var options: JobOptions
    var verdict: Verdict
    var metrics: PurificationMetrics
    var phases: [CollectedFindings.FinishedPhase]
    var costs: [StageCost]
    var measurements: [MetricPoint]
    var flaggedSamples: [SampleFinding]
    var output: Output

    enum CodingKeys: String, CodingKey {
        case version, type, model, dataset, options, verdict, metrics, phases, costs, measurements, output
        case flaggedSamples = "flagged_samples"
    }
}
