import Findings
import Support

/// What a worker tells the service, one frame each, on its standard output.
public enum WorkerMessage: Codable, Hashable, Sendable {
    /// Sent at least every two seconds: the worker is alive.
    case heartbeat
    case progress(WorkerProgress)
    /// The phase's results are on disk in the output directory; a restart goes on after it.
    case phaseFinished(Phase, round: Int, seconds: Double)
    case metrics([MetricPoint])
    /// What the verdict will be, where that is known before it.
    case preliminary(PreliminaryVerdict)
    case verdict(Verdict)
    /// At most 1,000 a message, after the phase that settles them; a later message for an index replaces
    /// an earlier one.
    case samples([SampleFinding])
    case evaluation(PurificationMetrics)
    case assessment(Assessment)
    /// A restarted phase gives its points again, with the same steps.
    case curve([CurvePoint])
    /// All that were estimated, replacing those of an earlier attempt; their pictures are artifacts.
    case triggers([TriggerFinding])
    /// A finished file in the output directory.
    case artifact(WorkerArtifact)
    /// What a model was found to be, where its graph was at hand.
    case uploadChecked(ModelSummary?)
    case modelProbed(ModelSummary, PassCost?)
    case agreement(AgreementFinding)
    case datasetImported(DatasetSummary)
    case rendered([RenderedSample])
    /// From the job's own worker: it has work for so many helpers now.
    case seeking(helpers: Int)
    /// From the job's own worker: a part for a helper.
    case part(WorkerPart, helper: Int)
    /// From the job's own worker: it has no use for a helper that would give other numbers.
    case dismissed(helper: Int)
    /// From a helper: it has opened its inputs, and computes on such a machine. Numbers are the same on the same machines.
    case helping(machine: String)
    /// From a helper: the part's file is there.
    case partFinished(WorkerPartEnd)
    case log(String)
    /// The last frame of a task that could not be done.
    case failed(Problem)
    /// The last frame of a task that was done.
    case finished
}

extension WorkerMessage {
    /// The code of `notSendable`: the same task gives the same message again, so that it is not tried again.
    public static let notSendableCode = "worker-message-not-sendable"

    /// What a task fails with that has something to say that no frame holds: a number that is none, or too much.
    public func notSendable(_ error: any Error) -> Problem {
        let kind = Mirror(reflecting: self).children.first?.label ?? "\(self)"
        let reason: String
        switch error {
        case EncodingError.invalidValue(let value, let context):
            let place = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
            reason = "the value \(String(describing: value).prefix(100)) at \(place.joined(separator: "/"))"
        case Frame.Failure.tooLong(let bytes):
            reason = "it has \(bytes) bytes, and a message at most \(Frame.maximumLength)"
        default: reason = "\(error)"
        }
        return Problem(
            .internal, code: Self.notSendableCode, title: "A result cannot be handed to the service",
            detail: "The message “\(kind)” cannot be encoded: \(reason).",
            fix:
                "This is a defect of the service. Report it with this text, the service's version and, if you may, the "
                + "model.")
    }
}

/// How far the running phase is.
public struct WorkerProgress: Codable, Hashable, Sendable {
    public var phase: Phase?
    public var round: Int
    /// 0 to 1, of this phase (and round).
    public var fraction: Double
    /// Seconds left in the whole task, where it can be estimated.
    public var secondsLeft: Double?

    public init(phase: Phase?, round: Int = 0, fraction: Double, secondsLeft: Double? = nil) {
        self.phase = phase
        self.round = round
        self.fraction = fraction
        self.secondsLeft = secondsLeft
    }
}

/// A file that a worker made.
public struct WorkerArtifact: Codable, Hashable, Sendable {
    public enum Role: String, Codable, Hashable, Sendable {
        /// The purified model, in the format of the upload.
        case purifiedModel = "purified_model"
        /// CSV: index, name, given label, restored label, flagged.
        case correctedLabels = "corrected_labels"
        case trainedModel = "trained_model"
        /// PNG; see `TriggerView`.
        case triggerDirection = "trigger_direction"
        case triggerClean = "trigger_clean"
        case triggerStamped = "trigger_stamped"
    }

    public var role: Role
    /// The class that it is about, a model output index; set exactly for the roles of triggers.
    public var label: Int?
    /// Relative to the output directory.
    public var file: String

    public init(role: Role, label: Int? = nil, file: String) {
        self.role = role
        self.label = label
        self.file = file
    }
}
