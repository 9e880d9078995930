import Findings

/// All that one finished job found, with what is needed to check it and to run it again. Both forms of the report,
/// JSON and HTML, are made of this value alone. Field names are those of docs/burn-report-1.schema.json.
///
/// The same job run twice differs only in `job` (less its type), in `phases`' seconds, and in the ids of inputs.
public struct JobReport: Codable, Hashable, Sendable {
    /// Changes when a reader of the form before would misunderstand this one.
    public static let schema = "burn-report/1"

    public var schema = JobReport.schema
    public var job: Job
    public var software: Software
    public var inputs: Inputs
    public var options: JobOptions
    public var verdict: Verdict
    /// The verdict for readers who do not know the method.
    public var words: Words
    public var evidence: EvidenceDistributions
    public var samples: SampleCounts
    /// Nil for a scan.
    public var purification: Purification?
    /// ACC, ASR and RA on the user's evaluation sets; nil without them.
    public var metrics: PurificationMetrics?
    /// How the model does on images, class by class, before and after; nil where it was not measured.
    public var assessment: Assessment?
    public var phases: [FinishedPhase]
    /// What was measured on the way, less what measures the machine's speed.
    /// What each stage took.
    public var costs: [StageCost]
    public var measurements: [MetricPoint]
    /// What this report does not show, in plain words.
    public var limits: [String]
    public var rerun: Rerun

    public init(
        job: Job, software: Software, inputs: Inputs, options: JobOptions, verdict: Verdict,
        evidence: EvidenceDistributions, samples: SampleCounts, purification: Purification?,
        metrics: PurificationMetrics?, assessment: Assessment? = nil, phases: [FinishedPhase],
        points: [MetricPoint]
    ) {
        self.job = job
        self.software = software
        self.inputs = inputs
        self.options = options
        self.verdict = verdict
        self.evidence = evidence
        self.samples = samples
        self.purification = purification
        self.metrics = metrics.flatMap { $0.before == nil && $0.after == nil ? nil : $0 }
        self.assessment = assessment
        self.phases = phases.sorted { (Self.order($0.phase), $0.round) < (Self.order($1.phase), $1.round) }
        let (costs, others) = StageCost.split(points)
        self.costs = costs
        measurements = others.filter { $0.name != Self.speed }
            .sorted { (Self.order($0.phase), $0.round, $0.name) < (Self.order($1.phase), $1.round, $1.name) }
        words = Words(
            verdict, type: job.type, method: options.method, names: evidence.classNames, samples: samples,
            purification: purification)
        limits = Limits.statements(verdict, job.type, metrics: self.metrics, forced: options.force)
        rerun = Rerun(job.type, inputs, options)
    }

    private static let speed = "samples_per_second"

    private static func order(_ phase: Phase) -> Int { Phase.allCases.firstIndex(of: phase) ?? 0 }

    enum CodingKeys: String, CodingKey {
        case schema, job, software, inputs, options, verdict, words, evidence, samples, purification, metrics
        case assessment, phases, costs, measurements, limits, rerun
    }
}

extension JobReport {
    /// Times are RFC 3339 in UTC. All but the type are nil for a job of the command line.
    public struct Job: Codable, Hashable, Sendable {
        public var id: String?
        public var type: JobType
        public var createdAt, startedAt, finishedAt: String?

        public init(
            id: String? = nil, type: JobType, createdAt: String? = nil, startedAt: String? = nil,
            finishedAt: String? = nil
        ) {
            self.id = id
            self.type = type
            self.createdAt = createdAt
            self.startedAt = startedAt
            self.finishedAt = finishedAt
        }

        enum CodingKeys: String, CodingKey {
            case id, type
            case createdAt = "created_at"
            case startedAt = "started_at"
            case finishedAt = "finished_at"
        }
    }

    public struct Software: Codable, Hashable, Sendable {
        /// The burnd that wrote the report.
        public var burnd: String
        /// What did the analysis; nil where it did not say.
        public var engine: Engine?

        public init(burnd: String, engine: Engine?) {
            self.burnd = burnd
            self.engine = engine
        }
    }

    public struct SampleCounts: Codable, Hashable, Sendable {
        public var analysed: Int
        public var flagged: Int
        /// Flagged samples whose restored label is not the given one.
        public var relabelled: Int

        public init(analysed: Int, flagged: Int, relabelled: Int) {
            self.analysed = analysed
            self.flagged = flagged
            self.relabelled = relabelled
        }
    }

    /// What a purification wrote.
    public struct Purification: Codable, Hashable, Sendable {
        /// False: the model given back is the one that came, byte for byte.
        public var modelChanged: Bool
        /// SHA-256 in lower-case hexadecimal.
        public var modelSHA256: String
        public var modelBytes: Int

        public init(modelChanged: Bool, modelSHA256: String, modelBytes: Int) {
            self.modelChanged = modelChanged
            self.modelSHA256 = modelSHA256
            self.modelBytes = modelBytes
        }

        enum CodingKeys: String, CodingKey {
            case modelChanged = "model_changed"
            case modelSHA256 = "model_sha256"
            case modelBytes = "model_bytes"
        }
    }

    /// Accuracy class by class. Matrices: rows are true (given) labels, columns predictions.
    public struct Assessment: Codable, Hashable, Sendable {
        public enum Source: String, Codable, Hashable, Sendable {
            /// The user's clean evaluation set, with true labels.
            case evaluation
            /// Unflagged training samples that were held out, with their given labels.
            case holdout
        }

        public struct ClassAccuracy: Codable, Hashable, Sendable {
            public var label: Int
            public var name: String
            /// 0 to 1; nil where it was not measured.
            public var before, after: Double?

            public init(label: Int, name: String, before: Double?, after: Double?) {
                self.label = label
                self.name = name
                self.before = before
                self.after = after
            }
        }

        public var source: Source
        public var samples: Int?
        public var classes: [ClassAccuracy]
        public var confusionBefore, confusionAfter: [[Int]]?

        public init(
            source: Source, samples: Int?, classes: [ClassAccuracy], confusionBefore: [[Int]]?,
            confusionAfter: [[Int]]?
        ) {
            self.source = source
            self.samples = samples
            self.classes = classes
            self.confusionBefore = confusionBefore
            self.confusionAfter = confusionAfter
        }

        enum CodingKeys: String, CodingKey {
            case source, samples, classes
            case confusionBefore = "confusion_before"
            case confusionAfter = "confusion_after"
        }
    }

    public struct FinishedPhase: Codable, Hashable, Sendable {
        public var phase: Phase
        /// 0 outside refinement; there the round, from 1.
        public var round: Int
        public var seconds: Double

        public init(phase: Phase, round: Int, seconds: Double) {
            self.phase = phase
            self.round = round
            self.seconds = seconds
        }
    }
}
