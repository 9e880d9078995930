import Execution
import Findings
import Tensors

/// What the phases of one run share: its inputs, and whom they tell.
package struct MethodRun {
    package let model: GraphModel
    package let images: LabelledImages
    /// What the user vouches for; nil where nothing was given.
    package let trusted: TrustedImages?
    package let options: JobOptions
    /// False for a scan.
    package let purifies: Bool
    package let token: CancellationToken
    package let observer: any RunObserver
    package let steps: any StepStore

    var parameters: Parameters { options.parameters ?? Parameters() }

    package init(
        model: GraphModel, images: LabelledImages, trusted: TrustedImages? = nil, options: JobOptions,
        purifies: Bool, token: CancellationToken, observer: any RunObserver, steps: any StepStore
    ) {
        self.model = model
        self.images = images
        self.trusted = trusted
        self.options = options
        self.purifies = purifies
        self.token = token
        self.observer = observer
        self.steps = steps
    }
}

/// Follows a run. Called on the thread that works.
package protocol RunObserver: Sendable {
    /// `fraction` of a phase (and round), 0 to 1, is done.
    func advance(_ phase: Phase, round: Int, _ fraction: Double)
    /// The steps up to this one need no work any more.
    func skip(through phase: Phase, round: Int)
    func report(_ event: RunEvent)
}

/// What a run has to say beside its results.
package enum RunEvent: Hashable, Sendable {
    case metrics([MetricPoint])
    /// A step that is begun again gives its points again.
    case curve([CurvePoint])
    case phaseFinished(Phase, round: Int, seconds: Double)
}

/// Keeps what finished steps made, so that a run that was ended goes on after them.
package protocol StepStore {
    /// Reports again what the step reported when it finished; false where it has not finished.
    func replay(_ step: String) throws -> Bool
    /// The step is finished, and what it keeps is in place. Reports `events`.
    func finish(_ step: String, _ events: [RunEvent]) throws
    /// Nil where the step keeps none.
    func model(of step: String, like model: GraphModel) throws -> GraphModel?
    func keep(_ model: GraphModel, of step: String) throws
    /// A word that the step keeps; nil where it keeps none.
    func note(of step: String) throws -> String?
    func keep(note: String, of step: String) throws
}

/// Seconds since it was made.
package struct PhaseClock {
    private let start = ContinuousClock.now
    package var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

    package init() {}
}
