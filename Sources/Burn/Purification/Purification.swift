import Execution
import Findings
import Tensors

/// Both phases of the purification with their checkpoints: decoupling, then rounds of refinement, each round
/// accepted by the gate or rolled back.
package struct Purification {
    package let context: MethodRun
    package let table: AnalysisTable
    package let store: PerturbationStore
    package let outcome: Detection.Outcome

    package init(
        context: MethodRun, table: AnalysisTable, store: PerturbationStore, outcome: Detection.Outcome
    ) {
        self.context = context
        self.table = table
        self.store = store
        self.outcome = outcome
    }

    /// Images of a step. A backdoor takes a number of steps to unlearn, not a number of images: small sets, which are
    /// gone through several times as it is, take smaller ones.
    package static func batch(samples: Int) -> Int { samples < 5_000 ? 64 : 128 }
    /// Enough steps matter: with 40 a BadNets backdoor survived, with 160 it was gone.
    package static func decouplingSteps(samples: Int) -> Int {
        min(400, max(240, 3 * samples / batch(samples: samples)))
    }
    package static func refinementSteps(samples: Int) -> Int {
        min(300, max(160, 2 * samples / batch(samples: samples)))
    }
    private static let refinementRate = 0.01
    /// When a round would move less than this share of all samples, the partition has settled.
    private static let convergence = 0.002

    package var images: LabelledImages { context.images }

    /// Restored labels as the analysis alone gives them.
    package func initialRestoration() throws -> LabelRestoration {
        let flagged = outcome.flagged.indices.filter { outcome.flagged[$0] }
        let ordinary = trustworthy
        // A scan that flags nothing has nothing to ask the model.
        let mirrors =
            try (context.purifies || !flagged.isEmpty)
            && Mirroring.keepsMeaning(context.model, images, ordinary, token: context.token)
        var restoration = LabelRestoration(
            images: images, table: table, targets: outcome.targets, reviews: outcome.reviews,
            ordinary: ordinary, mirrors: mirrors, token: context.token)
        try restoration.ask(context.model, about: flagged, sanitised: false)
        return restoration
    }

    private var trustworthy: [Int] {
        outcome.flagged.indices.filter {
            !outcome.flagged[$0] && Int(table.predicted[$0]) == images.labels[$0]
        }
    }

    package func run() throws -> Result {
        let everyone = Array(0..<images.count)
        let before = try context.model.probabilities(images, everyone, token: context.token)
        let firstPredictions: [Int] = try before.argmax(1).array()
        var pool = TrainingPool(outcome: outcome, table: table, images: images, seed: context.options.seed)
        var restoration = try initialRestoration()
        let mirrors = restoration.mirrors
        let trusted = context.trusted
        let lesson = try trusted?.lesson(by: context.model, token: context.token)
        let gate = AcceptanceGate(
            images: images, targets: outcome.targets, holdout: pool.holdout, flagged: pool.poison,
            labelsAreConfirmed: pool.labelsAreConfirmed, trusted: trusted, token: context.token)
        let original = try gate.measure(context.model)
        let treatments = Treatment.fitting(outcome.targets)
        var tuning = FineTuning(
            images: images,
            transplant: try Transplant(targets: outcome.targets, table: table, store: store),
            teacher: before, token: context.token, steps: Self.decouplingSteps(samples: images.count),
            learningRate: FalseCorrelationDecoupling.learningRates[0], seed: context.options.seed,
            mirrors: mirrors)
        let curves = recorder(
            .decoupling, 0, steps: tuning.steps,
            attempts: FalseCorrelationDecoupling.mostAttempts(treatments), pool, firstPredictions)
        tuning.batch = Self.batch(samples: images.count)
        tuning.curves = curves
        tuning.lesson = lesson
        var (model, report, treatment) = try decouple(tuning, gate, original, pool, restoration, treatments)
        if !treatment.transplants { tuning.transplant = .none }
        var refinement = try ProgressiveRefinement(
            original: context.model, images: images, targets: outcome.targets, before: before,
            reviews: outcome.reviews, token: context.token)
        for round in stride(from: 1, through: context.options.rounds, by: 1) {
            let clock = PhaseClock()
            let step = "round-\(round)"
            let disagreement = try refinement.refine(&pool, with: model)
            try restoration.ask(model, about: pool.poison, sanitised: true)
            let changed = Double(disagreement.newlyFlagged.count + disagreement.newlyClean.count)
            if round > 1, changed < Self.convergence * Double(images.count) { break }
            let curves = recorder(
                .refinement, round, steps: Self.refinementSteps(samples: images.count), pool, firstPredictions
            )
            let saved =
                try context.steps.replay(step)
                ? context.steps.model(of: step, like: context.model) : nil
            let candidate = try saved ?? model.copy(seed: context.options.seed &+ UInt64(round))
            if saved == nil {
                var retuning = FineTuning(
                    images: images, transplant: tuning.transplant, teacher: before, token: context.token,
                    steps: Self.refinementSteps(samples: images.count),
                    learningRate: Self.refinementRate / Double(round),
                    seed: context.options.seed &+ UInt64(round), mirrors: mirrors)
                retuning.batch = tuning.batch
                retuning.curves = curves
                retuning.lesson = lesson
                let trained = trained(pool)
                try retuning.run(
                    candidate, pool: trained,
                    restored: treatment.restores ? restored(trained, restoration) : nil
                ) {
                    context.observer.advance(.refinement, round: round, $0)
                }
                try context.steps.keep(candidate, of: step)
            }
            let judged = try gate.measure(candidate)
            let accepted =
                gate.canJudge && judged.accuracy >= report.accuracy - gate.roundTolerance
                && judged.residual <= max(report.residual, AcceptanceGate.workingResidual / 5)
            if saved == nil {
                let metrics =
                    points(judged, .refinement, round) + [
                        point(.refinement, round, "accepted", accepted ? 1 : 0),
                        point(.refinement, round, "newly_flagged", Double(disagreement.newlyFlagged.count)),
                        point(.refinement, round, "newly_clean", Double(disagreement.newlyClean.count)),
                        point(.refinement, round, "mean_divergence", disagreement.meanDivergence),
                    ]
                try context.steps.finish(
                    step,
                    [
                        .curve(curves.points),
                        .metrics(metrics),
                        .phaseFinished(.refinement, round: round, seconds: clock.seconds),
                    ])
            }
            guard accepted else { break }
            (model, report) = (candidate, judged)
        }
        try restoration.ask(model, about: pool.poison, sanitised: true)
        var flagged = outcome.flagged
        for sample in pool.poison { flagged[sample] = true }
        let shortfall = gate.shortfall(report, before: original)
        context.observer.report(
            .metrics(
                points(report, .evaluation, 0) + [
                    point(.evaluation, 0, "accepted", shortfall == nil ? 1 : 0)
                ]))
        let last: [Int] = try model.probabilities(images, pool.holdout, token: context.token).argmax(1)
            .array()
        return Result(
            model: model, restoration: restoration, flagged: flagged,
            holdout: Holdout(
                samples: pool.holdout, before: pool.holdout.map { firstPredictions[$0] }, after: last),
            treatment: treatment, isFallback: treatment != treatments.first, shortfall: shortfall)
    }

    private func decouple(
        _ tuning: FineTuning, _ gate: AcceptanceGate, _ original: AcceptanceGate.Report, _ pool: TrainingPool,
        _ restoration: LabelRestoration, _ treatments: [Treatment]
    ) throws -> (GraphModel, AcceptanceGate.Report, Treatment) {
        let step = "decoupling"
        if try context.steps.replay(step), let saved = try context.steps.model(of: step, like: context.model)
        {
            context.observer.skip(through: .decoupling, round: 0)
            let settled = try context.steps.note(of: step).flatMap(Treatment.init)
            return (saved, try gate.measure(saved), settled ?? treatments.first ?? .drop)
        }
        let clock = PhaseClock()
        let phase = FalseCorrelationDecoupling(
            original: context.model, tuning: tuning, gate: gate, treatments: treatments)
        let trained = trained(pool)
        let result = try phase.run(
            pool: trained, restored: restored(trained, restoration), before: original
        ) { context.observer.advance(.decoupling, round: 0, $0) }
        try context.steps.keep(result.model, of: step)
        try context.steps.keep(note: result.treatment.rawValue, of: step)
        let metrics =
            points(original, .detection, 0) + points(result.report, .decoupling, 0) + [
                point(.decoupling, 0, "attempts", Double(result.attempts)),
                point(.decoupling, 0, "accepted", result.accepted ? 1 : 0),
            ]
        try context.steps.finish(
            step,
            [
                .curve(tuning.curves?.points ?? []), .metrics(metrics),
                .phaseFinished(.decoupling, round: 0, seconds: clock.seconds),
            ])
        return (result.model, result.report, result.treatment)
    }

    /// The pool as it is trained on. Clean-label poison keeps its label, which says nothing: it is left out.
    private func trained(_ pool: TrainingPool) -> TrainingPool {
        let cleanLabels = Set(outcome.targets.filter(\.isCleanLabel).map(\.label))
        var pool = pool
        pool.poison.removeAll {
            cleanLabels.contains(images.labels[$0]) && outcome.reviews.label($0) == nil
        }
        return pool
    }

    /// Nil where there is nothing to restore.
    private func restored(_ pool: TrainingPool, _ restoration: LabelRestoration) throws -> Tensor? {
        pool.poison.isEmpty ? nil : try restoration.probabilities(pool.poison)
    }
}
