import Execution
import Findings
import Tensors

/// Both phases of the purification with their checkpoints: decoupling, then rounds of refinement, each round
/// accepted by the gate or rolled back.
package struct Purification {
    package let context: MethodRun
    package let boundary: BoundaryAnalysis
    package let store: PerturbationStore
    package let diagnosis: Diagnosis
    let targets: [Target]

    package init(
        context: MethodRun, boundary: BoundaryAnalysis, store: PerturbationStore, diagnosis: Diagnosis
    ) throws {
        self.context = context
        self.boundary = boundary
        self.store = store
        self.diagnosis = diagnosis
        targets = try diagnosis.backdoors.map { try Target($0, images: context.images, store: store) }
    }

    /// A backdoor is gone after some eighty; accuracy comes back with more.
    package static func decouplingSteps(samples: Int) -> Int { min(400, max(240, samples / 40)) }
    package static func refinementSteps(samples: Int) -> Int { min(200, max(100, samples / 100)) }
    /// When a further round would move less than this share of all samples, the partition has settled: on three models, rounds that moved
    /// 0.2 to 0.4 % changed accuracy by chance alone.
    static let convergence = 0.005

    package var images: LabelledImages { context.images }
    private var table: AnalysisTable { boundary.table }

    /// Restored labels as the analysis alone gives them.
    /// - Parameter known: what the suspicious model says, where some of it has been asked for.
    package func initialRestoration(_ known: ModelAnswers? = nil) throws -> LabelRestoration {
        let answers = try known ?? ModelAnswers(of: context.model, on: images, token: context.token, most: 0)
        let flagged = diagnosis.flagged.indices.filter { diagnosis.flagged[$0] }
        let ordinary = trustworthy
        // A scan that flags nothing has nothing to ask the model.
        let mirrors =
            try (context.purifies || !flagged.isEmpty)
            && Mirroring.keepsMeaning(context.model, images, ordinary, token: context.token)
        var restoration = LabelRestoration(
            images: images, table: table, targets: targets, reviews: diagnosis.reviews,
            ordinary: ordinary, mirrors: mirrors,
            parameters: context.parameters, token: context.token)
        try restoration.ask(answers, about: flagged, sanitised: false)
        return restoration
    }

    private var trustworthy: [Int] {
        let predicted = table.predicted
        return diagnosis.flagged.indices.filter {
            !diagnosis.flagged[$0] && Int(predicted[$0]) == images.labels[$0]
        }
    }

    package func run() throws -> Result {
        let meter = meter
        var course = try begin()
        try decouple(&course, spent: meter.end(of: .preparation, .decoupling))
        guard course.treatment != nil else { return try untreated(course) }
        try refine(&course)
        return try conclude(course)
    }

    /// What a purification works on, from phase to phase.
    struct Course {
        /// What the suspicious model says.
        let before: ModelAnswers
        var gate: AcceptanceGate
        let transplant: Transplant
        let lesson: TrustedImages.Lesson?
        let treatments: [any Treatment]
        /// Of the suspicious model.
        let original: AcceptanceGate.Report

        var pool: TrainingPool
        var restoration: LabelRestoration
        /// The model as it is by now, and what it says.
        var answers: ModelAnswers
        var report: AcceptanceGate.Report
        /// Nil before one was carried through.
        var treatment: (any Treatment)?
        /// What was spent since the last durable step.
        var meter: CostMeter

        var model: GraphModel { answers.model }
    }

    private func begin() throws -> Course {
        let before = try ModelAnswers(of: context.model, on: images, token: context.token)
        // Refinement and training ask for nearly all, and a job that is resumed in another order.
        try before.askAll()
        var pool = TrainingPool(diagnosis, table: table, images: images, seed: context.options.methodSeed)
        let gate = AcceptanceGate(
            images: images, targets: targets, holdout: pool.holdout, flagged: pool.poison,
            labelsAreConfirmed: pool.labelsAreConfirmed, trusted: context.trusted,
            parameters: context.parameters, token: context.token)
        let original = try gate.measure(before)
        // Without a round that may be accepted, nothing would be decided, or what was decided not be learned.
        if context.options.rounds > 0, gate.canJudge {
            pool.putOffDoubtful(
                diagnosis.backdoors, table: table, labels: images.labels, reviews: diagnosis.reviews)
        }
        return Course(
            before: before, gate: gate,
            transplant: Transplant(targets),
            lesson: try context.trusted?.lesson(by: context.model, token: context.token),
            treatments: Treatments.fitting(diagnosis.backdoors, method: context.options.method),
            original: original, pool: pool,
            restoration: try initialRestoration(before), answers: before, report: original, meter: meter)
    }

    private func conclude(_ course: Course) throws -> Result {
        let shortfall = course.gate.shortfall(course.report, before: course.original)
        reportAcceptance(course.report, isAccepted: shortfall == nil)
        let last = try course.answers.predictions(course.pool.holdout)
        return Result(
            model: course.model, restoration: course.restoration,
            flagged: course.pool.flags(diagnosis.flagged),
            holdout: Holdout(
                samples: course.pool.holdout, before: predictions(course.pool.holdout),
                after: last),
            treatment: course.treatment,
            isFallback: course.treatment?.name != course.treatments.first?.name, shortfall: shortfall,
            cleared: course.pool.cleared.count, spent: course.meter.end(of: .evaluation, .evaluation))
    }

    /// Of the suspicious model.
    func predictions(_ samples: [Int]) -> [Int] {
        let predicted = table.predicted
        return samples.map { Int(predicted[$0]) }
    }

    private func untreated(_ course: Course) throws -> Result {
        reportAcceptance(course.report, isAccepted: false)
        return Result(
            restoration: course.restoration, flagged: diagnosis.flagged,
            shortfall: "every fine-tuning diverged, so that none of the treatments could be given",
            spent: course.meter.end(of: .evaluation, .evaluation))
    }

    private func reportAcceptance(_ report: AcceptanceGate.Report, isAccepted: Bool) {
        context.observer.report(
            .metrics(
                points(report, .evaluation, 0) + [point(.evaluation, 0, "accepted", isAccepted ? 1 : 0)]))
    }
}
