import Execution
import Findings
import Tensors
import Testing
import TinyModels

@testable import Burn

/// Each treatment by itself, on a backdoor that is known, and what happens where none can be carried through.
@Suite struct TreatmentTests {
    let known: PlantedPixels

    init() throws { known = try PlantedPixels() }

    /// Leaving samples out does not unlearn what a linear model has learned of them; the other three do.
    @Test(arguments: Treatments.all.map(\.name))
    func aTreatmentDoesWhatItsNameSays(_ name: String) throws {
        let treatment = try #require(Treatments.named(name))
        let pool = known.pool()
        let all = try known.material(pool)
        let given = treatment.material(from: all)
        #expect((given.restored != nil) == name.hasPrefix("restore"))
        #expect(given.transplant.isEmpty == !name.hasSuffix("transplant"))
        let model = try known.model.copy(seed: 1)
        try known.tuning().run(model, pool: pool, material: given) { _ in }
        let gate = try known.gate(pool)
        let (before, after) = try (gate.measure(known.answers()), gate.measure(known.answers(of: model)))
        #expect(before.residual > 0.9 && before.flaggedUnchanged == 1)
        #expect(after.accuracy > before.accuracy - 0.05)
        let works = after.residual < 0.05
        #expect(works == (name != "drop"), "residual \(after.residual)")
    }

    @Test func whatWasFoundSaysWhatCanBeGiven() throws {
        func names(_ targets: [Backdoor]) -> [String] { Treatments.fitting(targets).map(\.name) }
        #expect(
            names(known.diagnosis.backdoors)
                == ["restore-and-transplant", "drop-and-transplant", "restore", "drop"])
        var cleanLabel = try #require(known.diagnosis.backdoors.first)
        cleanLabel.labels = .right
        #expect(names([cleanLabel]) == ["drop-and-transplant", "drop"])
        var unknown = try #require(known.diagnosis.backdoors.first)
        unknown.trigger = nil
        #expect(names([unknown]) == ["restore", "drop"])
        #expect(names([]) == ["restore", "drop"], "named by people")
    }

    /// A fine-tuning that diverges is a failed attempt, and the next treatment is tried.
    @Test func divergenceEndsAnAttemptOnly() throws {
        let pool = known.pool()
        let gate = try known.gate(pool)
        let model = try known.model.copy(seed: 1)
        #expect(throws: TrainingDiverged.self) {
            try known.tuning(rate: 1e38).run(model, pool: pool, material: known.material(pool)) { _ in }
        }
        // Restored labels that are no numbers spoil whatever learns them.
        var material = try known.material(pool)
        let spoilt = try #require(material.restored).opinions.map { _ in
            ClassOpinion(certain: 0, weight: .infinity)
        }
        material.restored = SoftLabels(opinions: spoilt, classes: PlantedPixels.classes)
        let outcome = try FalseCorrelationDecoupling(
            original: known.answers(), tuning: known.tuning(), gate: gate, treatments: Treatments.all
        ).run(pool: pool, material: material, before: gate.measure(known.answers())) { _ in }
        #expect(outcome.diverged == FalseCorrelationDecoupling.mostRates)
        #expect(outcome.treatment?.name == "drop-and-transplant" && outcome.accepted)
        #expect(outcome.attempts == outcome.diverged + 1)
    }

    /// What did too little is done harder, what did too much more gently, and nothing is done twice.
    @Test func ratesFollowWhatWasMissed() {
        func rates(_ first: Double, _ ends: [FalseCorrelationDecoupling.End]) -> [Double] {
            var rates = [first]
            for end in ends {
                guard
                    let next = FalseCorrelationDecoupling.rate(
                        after: rates[rates.count - 1], end, first: first)
                else { break }
                rates.append(next)
            }
            return rates
        }
        #expect(rates(0.005, [.tooLittle, .tooLittle, .tooLittle]) == [0.005, 0.01, 0.02])
        #expect(rates(0.01, [.tooMuch, .tooMuch]) == [0.01, 0.005, 0.0025])
        #expect(rates(0.01, [.tooLittle, .tooLittle]) == [0.01, 0.02])
        #expect(rates(0.01, [.tooLittle, .tooMuch]) == [0.01, 0.02])
        #expect(rates(0.01, [.tooMuch, .tooLittle]) == [0.01, 0.005])
        #expect(rates(0.02, [.tooLittle]) == [0.02])
        #expect(rates(0.01, [.both]) == [0.01])
        #expect(rates(0.01, [.settled]) == [0.01])
    }

    /// What is judged is what is given back: where rounding undoes a training, it was in vain.
    @Test func aCandidateIsJudgedAsItIsGivenBack() throws {
        let pool = known.pool()
        var asked = 0
        var decoupling = FalseCorrelationDecoupling(
            original: try known.answers(), tuning: try known.tuning(steps: 8), gate: try known.gate(pool),
            treatments: [RestoreAndTransplant()])
        decoupling.rounded = { _ in
            asked += 1
            return known.model
        }
        let outcome = try decoupling.run(
            pool: pool, material: known.material(pool), before: decoupling.gate.measure(known.answers())
        ) { _ in }
        #expect(!outcome.accepted && outcome.report.residual == 1 && outcome.answers.model === known.model)
        #expect(asked == 3, "each did too little")
    }

    /// Where the trigger still works and accuracy is lost as well, no other rate is tried.
    @Test func anAttemptThatMissesBothWaysIsTheOnlyOne() throws {
        let pool = known.pool()
        var decoupling = FalseCorrelationDecoupling(
            original: try known.answers(), tuning: try known.tuning(steps: 2), gate: try known.gate(pool),
            treatments: [RestoreAndTransplant()])
        decoupling.rounded = { _ in known.model }
        var before = try decoupling.gate.measure(known.answers())
        before.accuracy = 1.2
        let outcome = try decoupling.run(pool: pool, material: known.material(pool), before: before) { _ in }
        #expect(outcome.attempts == 1 && !outcome.accepted)
    }

    /// Where accuracy can't be judged, no other rate tells more.
    @Test func oneAttemptIsMadeWhereAccuracyCannotBeJudged() throws {
        let pool = known.pool()
        var gate = try known.gate(pool)
        gate.labelsAreConfirmed = false
        let outcome = try FalseCorrelationDecoupling(
            original: known.answers(), tuning: known.tuning(), gate: gate, treatments: Treatments.all
        ).run(pool: pool, material: known.material(pool), before: gate.measure(known.answers())) { _ in }
        #expect(outcome.attempts == 1 && !outcome.accepted)
        #expect(outcome.treatment?.name == "restore-and-transplant" && outcome.report.residual < 0.05)
    }

    /// Where nothing can be carried through, the model is left as it was, and that is said.
    @Test func whereAllDivergeTheModelIsLeft() throws {
        var weights = [Float](repeating: 0, count: PlantedPixels.classes * PlantedPixels.values)
        for index in weights.indices { weights[index] = index % 2 == 0 ? 3e38 : -3e38 }
        let broken = try TinyGraph.linear(
            weight: Tensor(weights, shape: [PlantedPixels.classes, PlantedPixels.values]),
            bias: Tensor.zeros([PlantedPixels.classes]), channels: 3, side: PlantedPixels.side)
        let pool = known.pool()
        let gate = try known.gate(pool)
        let outcome = try FalseCorrelationDecoupling(
            original: known.answers(of: broken), tuning: known.tuning(of: known.model), gate: gate,
            treatments: Treatments.all
        ).run(pool: pool, material: known.material(pool), before: gate.measure(known.answers())) { _ in }
        #expect(outcome.treatment == nil && !outcome.accepted)
        #expect(outcome.answers.model === broken)
        #expect(outcome.diverged == FalseCorrelationDecoupling.mostAttempts(Treatments.all))

        var restoration = LabelRestoration(
            images: known.images, table: known.table, targets: [], parameters: Parameters(),
            token: try CancellationToken())
        try restoration.ask(known.answers(), about: [], sanitised: false)
        let result = Purification.Result(
            restoration: restoration, flagged: [], shortfall: "every fine-tuning diverged")
        #expect(result.statements == ["The model given back is the upload: every fine-tuning diverged."])
    }
}
