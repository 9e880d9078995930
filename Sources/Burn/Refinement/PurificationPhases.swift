import Execution
import Findings
import Tensors

/// Decoupling and the rounds of refinement, each a durable step.
extension Purification {
    /// - Parameter round: 0 for the decoupling.
    private func tuning(_ course: Course, round: Int, attempts: Int = 1) -> FineTuning {
        let steps =
            round == 0
            ? Self.decouplingSteps(samples: images.count) : Self.refinementSteps(samples: images.count)
        var tuning = FineTuning(
            images: images, teacher: course.before, token: context.token, steps: steps,
            learningRate: round == 0 ? 0 : (course.treatment?.refinementRate ?? 0) / Double(round),
            seed: context.options.methodSeed &+ UInt64(round), mirrors: course.restoration.mirrors)
        // The decoupling sets it, and its rate, for each attempt.
        tuning.batch = course.treatment?.batch ?? BatchSizes.ofPurification
        tuning.lesson = course.lesson
        tuning.curves = recorder(
            round == 0 ? .decoupling : .refinement, round, steps: steps, attempts: attempts, course.pool)
        return tuning
    }

    /// - Parameter spent: what came before it, which is reported with it.
    func decouple(_ course: inout Course, spent: StageCost) throws {
        let step = "decoupling"
        if try context.steps.replay(step), let saved = try context.steps.model(of: step, like: context.model)
        {
            context.observer.skip(through: .decoupling, round: 0)
            course.treatment = try context.steps.note(of: step).flatMap(Treatments.named)
            course.answers = try course.before.asked(of: saved)
            course.report = try course.gate.measure(course.answers)
            course.meter = meter
            return
        }
        let (clock, meter) = (PhaseClock(), meter)
        let tuning = tuning(
            course, round: 0, attempts: FalseCorrelationDecoupling.mostAttempts(course.treatments))
        let phase = FalseCorrelationDecoupling(
            original: course.before, tuning: tuning, gate: course.gate, treatments: course.treatments,
            rounded: { try keep($0, of: step) })
        let trained = trained(course)
        let result = try phase.run(
            pool: trained, material: try material(course, trained), before: course.original
        ) { context.observer.advance(.decoupling, round: 0, $0) }
        // The last attempt need not be the best.
        try context.steps.keep(result.answers.model, of: step)
        try context.steps.keep(note: result.treatment?.name ?? "", of: step)
        let metrics =
            points(course.original, .detection, 0) + points(result.report, .decoupling, 0) + [
                point(.decoupling, 0, "attempts", Double(result.attempts)),
                point(.decoupling, 0, "diverged", Double(result.diverged)),
                point(.decoupling, 0, "accepted", result.accepted ? 1 : 0),
            ] + spent.points + meter.end(of: .decoupling, .decoupling).points
        try context.steps.finish(
            step,
            [
                .curve(tuning.curves?.points ?? []), .metrics(metrics),
                .phaseFinished(.decoupling, round: 0, seconds: clock.seconds),
            ])
        (course.answers, course.report, course.treatment) = (result.answers, result.report, result.treatment)
        course.meter = meter
    }

    /// - Returns: the model as it is kept, which an upload of half or whole numbers rounds: a job that is resumed goes on with that one.
    private func keep(_ model: GraphModel, of step: String) throws -> GraphModel {
        try context.steps.keep(model, of: step)
        guard let saved = try context.steps.model(of: step, like: context.model),
            try !saved.hasWeights(of: model)
        else { return model }
        return saved
    }

    func refine(_ course: inout Course) throws {
        var refinement = try ProgressiveRefinement(
            images: images, targets: diagnosis.backdoors, before: course.before,
            reviews: diagnosis.reviews, token: context.token)
        // Once of each model: what it says twice is no more certain.
        var isAsked = false
        func ask() throws {
            try course.restoration.ask(course.answers, about: course.pool.poison, sanitised: true)
            isAsked = true
        }
        for round in stride(from: 1, through: context.options.rounds, by: 1) {
            let disagreement = try refinement.refine(&course.pool, with: course.answers)
            // What is flagged has an adversarial label.
            try boundary.analyse(disagreement.newlyFlagged)
            course.restoration.table = boundary.table
            let cleared = Set(disagreement.cleared)
            course.gate.flagged.removeAll(where: cleared.contains)
            let changed = Double(disagreement.newlyFlagged.count + disagreement.newlyClean.count)
            if round > 1, changed < Self.convergence * Double(images.count) { break }
            try ask()
            // No round could be accepted.
            guard course.gate.canJudge else { break }
            guard try retune(&course, round, disagreement) else { break }
            isAsked = false
        }
        if !isAsked { try ask() }
    }

    var meter: CostMeter { CostMeter(model: context.model, images: images) }

    private static let divergence = "diverged"

    /// One round of fine-tuning; false where it was dropped.
    private func retune(
        _ course: inout Course, _ round: Int, _ disagreement: ProgressiveRefinement.Disagreement
    ) throws -> Bool {
        let (clock, step) = (PhaseClock(), "round-\(round)")
        let saved =
            try context.steps.replay(step) ? context.steps.model(of: step, like: context.model) : nil
        let tuning = tuning(course, round: round)
        var candidate = try saved ?? course.model.copy(seed: tuning.seed)
        // A round that diverged was dropped, and is again where the job goes on after it.
        var diverged = try saved != nil && context.steps.note(of: step) == Self.divergence
        if saved == nil {
            let trained = trained(course)
            let material = try material(course, trained)
            do {
                try tuning.run(
                    candidate, pool: trained, material: course.treatment?.material(from: material) ?? material
                ) {
                    context.observer.advance(.refinement, round: round, $0)
                }
            } catch is TrainingDiverged {
                // The round is dropped; its weights are no numbers.
                (candidate, diverged) = (course.model, true)
            }
            candidate = try keep(candidate, of: step)
            try context.steps.keep(note: diverged ? Self.divergence : "", of: step)
        }
        let asked = diverged ? course.answers : try course.before.asked(of: candidate)
        let judged = try course.gate.measure(asked)
        let accepted =
            !diverged
            && course.gate.acceptsRound(
                judged, after: course.report, before: course.original)
        if saved == nil {
            let metrics =
                points(judged, .refinement, round) + [
                    point(.refinement, round, "accepted", accepted ? 1 : 0),
                    point(.refinement, round, "diverged", diverged ? 1 : 0),
                    point(.refinement, round, "newly_flagged", Double(disagreement.newlyFlagged.count)),
                    point(.refinement, round, "newly_clean", Double(disagreement.newlyClean.count)),
                    point(.refinement, round, "newly_cleared", Double(disagreement.cleared.count)),
                    point(.refinement, round, "mean_divergence", disagreement.meanDivergence),
                ] + course.meter.end(of: .refinement, .refinement, round: round).points
            try context.steps.finish(
                step,
                [
                    .curve(tuning.curves?.points ?? []), .metrics(metrics),
                    .phaseFinished(.refinement, round: round, seconds: clock.seconds),
                ])
        }
        if accepted { (course.answers, course.report) = (asked, judged) }
        course.meter = meter
        return accepted
    }

    /// The pool as it is trained on. What keeps its label says nothing: it is left out.
    private func trained(_ course: Course) -> TrainingPool {
        var pool = course.pool
        let controls = Set(pool.controls)
        pool.poison.removeAll {
            controls.contains($0)
                || course.restoration.keepsLabel(of: $0) && diagnosis.reviews.label($0) == nil
        }
        // What a class of right labels is known by may be its trigger, which few of its samples would not hold up.
        let dirty = Set(diagnosis.backdoors.map(\.label)).subtracting(
            diagnosis.backdoors.filter(\.keepsLabels).map(\.label))
        pool.clean = course.pool.balanced(dirty, labels: images.labels)
        return pool
    }

    private func material(_ course: Course, _ pool: TrainingPool) throws -> TrainingMaterial {
        TrainingMaterial(
            restored: pool.poison.isEmpty ? nil : course.restoration.labels(pool.poison),
            transplant: course.transplant)
    }
}
