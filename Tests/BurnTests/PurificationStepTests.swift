import Execution
import Findings
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// The parts of a purification, on a backdoor that is known.
@Suite struct PurificationStepTests {
    let known: PlantedPixels

    init() throws { known = try PlantedPixels() }

    @Test func thePartsOfThePoolAreApart() throws {
        let pool = known.pool()
        #expect(pool.poison == known.planted)
        #expect(Set(pool.clean).isDisjoint(with: pool.holdout))
        #expect(Set(pool.clean).union(pool.holdout) == Set(known.ordinary))
        #expect(pool.holdout.count == 90, "a tenth of the classes above suspicion")
        #expect(pool.labelsAreConfirmed)
    }

    /// Of a class under suspicion, only the nearer half counts as clean.
    @Test func theFartherHalfOfASuspiciousClassIsNotTrusted() throws {
        var near = known
        // The class's own: a fifth of its samples are not flagged.
        let own = Array(near.planted.suffix(60))
        for (order, sample) in own.enumerated() { near.table.linearDistance[sample] = Float(order) }
        var diagnosis = near.diagnosis
        diagnosis.flagged = near.images.labels.indices.map { $0 < 240 }
        let pool = TrainingPool(diagnosis, table: near.table, images: near.images, seed: 3)
        #expect(pool.clean.filter { $0 < 300 } == Array(own.prefix(30)))
        #expect(pool.holdout.allSatisfy { $0 >= 300 })
    }

    /// The target's own class never carries a trigger that came from other classes; every other image does.
    @Test func aTransplantLeavesTheTargetsOwnImages() throws {
        let transplant = try known.material(known.pool()).transplant
        var random = SplitMix64(seed: 4)
        let images = try known.images.batch(known.ordinary.prefix(40).map { $0 })
        let labels = (0..<40).map { $0 % 2 }
        let given = try transplant.apply(to: images, labels: labels, using: &random)
        let changed: [Float] = try (given - images).abs().flatten(from: 1).amax([1]).array()
        for (label, change) in zip(labels, changed) { #expect((change > 0.01) == (label != 0)) }
        let elsewhere: [Float] = try (given - images).abs().flatten(from: 2).narrow(2, 1, 35).amax([1])
            .amax([1]).array()
        #expect(elsewhere.allSatisfy { $0 < 1e-6 }, "only the pixel")
        #expect(Transplant.none.isEmpty)
    }

    /// Closed form: the pixel sends every image into class 0, and no other image is there.
    @Test func theGateMeasuresWhatTheTriggerStillDoes() throws {
        let pool = known.pool()
        let gate = try known.gate(pool)
        let before = try gate.measure(known.answers())
        #expect(before.residual == 1 && before.flaggedUnchanged == 1)
        let seen: [Int] = try known.model.probabilities(known.images, pool.holdout).argmax(1).array()
        let right = zip(pool.holdout, seen).count { known.images.labels[$0] == $1 }
        #expect(abs(before.accuracy - Double(right) / 90) < 1e-9)

        func report(_ accuracy: Double, _ residual: Double) -> AcceptanceGate.Report {
            .init(accuracy: accuracy, residual: residual, flaggedUnchanged: 0)
        }
        let old = report(0.9, 1)
        #expect(gate.shortfall(report(0.86, 0.04), before: old) == nil)
        #expect(gate.shortfall(report(0.84, 0.04), before: old)?.contains("accuracy") == true)
        #expect(gate.shortfall(report(0.9, 0.06), before: old)?.contains("trigger") == true)
        #expect(gate.acceptsRound(report(0.9, 0.01), after: report(0.905, 0), before: old))
        #expect(!gate.acceptsRound(report(0.89, 0), after: report(0.905, 0), before: old))
        #expect(!gate.acceptsRound(report(0.9, 0.03), after: report(0.9, 0.02), before: old))
        // Each loses less than a round may, and both together more than all may.
        #expect(gate.acceptsRound(report(0.852, 0), after: report(0.857, 0), before: old))
        #expect(!gate.acceptsRound(report(0.848, 0), after: report(0.852, 0), before: old))
        #expect(
            gate.acceptsRound(report(0.83, 0), after: report(0.835, 0), before: old),
            "that fell short already")
        var blind = gate
        blind.labelsAreConfirmed = false
        #expect(blind.shortfall(report(0.9, 0), before: old) != nil)
        #expect(!blind.acceptsRound(report(0.9, 0), after: report(0.9, 0), before: old))
    }

    /// Planted samples that were missed are known by what the sanitised model lets go; the class's own stay.
    @Test func refinementFindsWhatWasMissed() throws {
        let missed = Array(known.planted.suffix(30))
        var pool = known.pool()
        pool.poison.removeAll(where: missed.contains)
        var finding = known.finding
        finding.images = ImageBundle(
            members: known.planted,
            posteriors: known.images.labels.indices.map { $0 < 300 ? 0.6 : 0 }, gain: 100, pValue: 1e-6)
        finding.conclude(
            .backdoored, from: .common(CommonPattern(pValue: 1e-6, wayBack: nil)))
        let sanitised = try known.model.copy(seed: 1)
        try known.tuning().run(sanitised, pool: known.pool(), material: known.material(known.pool())) { _ in }
        var refinement = try ProgressiveRefinement(
            images: known.images, targets: [Backdoor(finding)].compactMap(\.self),
            before: ModelAnswers(of: known.model, on: known.images),
            token: try CancellationToken())
        let found = try refinement.refine(&pool, with: known.answers(of: sanitised))
        #expect(found.newlyFlagged.count >= 27 && Set(found.newlyFlagged).isSubset(of: missed))
        #expect(Set(pool.poison).isSuperset(of: found.newlyFlagged))
        #expect(found.meanDivergence > 0.05)
        // The same model disagrees with nobody.
        let nothing = try ProgressiveRefinement(
            images: known.images, targets: [Backdoor(finding)].compactMap(\.self),
            before: ModelAnswers(of: known.model, on: known.images),
            token: try CancellationToken())
        var quiet = nothing
        var same = known.pool()
        #expect(try quiet.refine(&same, with: known.answers()).newlyFlagged.isEmpty)
    }
}
