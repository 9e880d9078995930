import Execution
import Findings
import Foundation
import Support
import Tensors
import Testing

@testable import Burn

/// The rule of abnormal distances against closed forms, and what the published method makes of it.
@Suite struct PublishedMethodTests {
    /// Log-normal distances of ten classes, each on a scale of its own.
    private func drawn(_ seed: UInt64, count: Int = 1_000, deviation: Double = 0.5) -> [Int: [Double]] {
        var random = SplitMix64(seed: seed)
        return Dictionary(
            uniqueKeysWithValues: (0..<10).map { label in
                (label, (0..<count).map { _ in Double(label + 1) * exp(deviation * random.normal()) })
            })
    }

    /// One in a hundred is abnormal, whatever the shape, and no class is a target.
    @Test func ordinaryDistancesGiveTheStatedRate() {
        var random = SplitMix64(seed: 3)
        let exponential = Dictionary(
            uniqueKeysWithValues: (0..<10).map { label in
                (label, (0..<1_000).map { _ in -Double(label + 1) * log(1 - random.uniform(0.0..<1)) })
            })
        for distances in [drawn(1), drawn(2, deviation: 2), exponential] {
            let judged = DistanceOutliers.judge(distances, errorBudget: 0.01)
            let abnormal = judged.values.reduce(0) { $0 + $1.abnormal }
            // Four deviations of a binomial count of 10,000, and the limits' own error, which is of that size.
            #expect(abs(abnormal - 100) < 56, "\(abnormal)")
            #expect(judged.values.allSatisfy { $0.expected == DistanceOutliers.rate && !$0.isTarget })
        }
    }

    @Test func falseTargetsAreRarerThanOneJobInAHundred() {
        let wrong = (0..<100).count { seed in
            DistanceOutliers.judge(drawn(UInt64(seed), count: 100), errorBudget: 0.01).values.contains(
                where: \.isTarget)
        }
        // More than 5 where 1 is expected has a probability of 0.0005.
        #expect(wrong <= 5)
    }

    /// z: the limit is the 99 % quantile (2.326), counted from the lower quartile. With 30 % of the class far away, that is the
    /// 0.25/0.7 quantile of the others (-0.366 in place of -0.674), and lies 0.308 too high. A group moved by 4 deviations is above
    /// it with probability Φ(4 - 2.634) = 0.914.
    @Test func aGroupFurtherAwayIsFound() {
        var distances = drawn(4)
        let moved = Set(0..<300)
        for place in moved { distances[3]?[place] *= exp(4 * 0.5) }
        let judged = DistanceOutliers.judge(distances, errorBudget: 0.01)
        #expect(judged.filter(\.value.isTarget).map(\.key) == [3])
        guard let found = judged[3], let own = distances[3] else { return }
        let hits = own.indices.count { moved.contains($0) && own[$0] > found.limit }
        #expect(abs(Double(hits) / 300 - 0.914) < 0.05, "\(hits)")
        #expect(own.indices.count { !moved.contains($0) && own[$0] > found.limit } < 15)
        #expect(found.pValue < 1e-4 && found.posterior(abnormal: true) > 0.9)
        #expect(abs(found.posterior(abnormal: false) - (found.share - 0.01)) < 1e-12)
    }

    /// Poison that is nearly half of its class does not hide itself.
    @Test func halfOfAClassIsFound() {
        var distances = drawn(5)
        for place in 0..<470 { distances[7]?[place] *= 20 }
        let judged = DistanceOutliers.judge(distances, errorBudget: 0.01)
        #expect(judged.filter(\.value.isTarget).map(\.key) == [7])
        #expect((judged[7]?.abnormal ?? 0) >= 450)
    }

    /// A class that varies more than others is no target by that: its share is held against the classes' own spread.
    @Test func aClassOfAnotherShapeIsNoTarget() {
        var random = SplitMix64(seed: 6)
        let distances = Dictionary(
            uniqueKeysWithValues: (0..<10).map { label in
                (label, (0..<1_000).map { _ in exp((0.4 + 0.02 * Double(label)) * random.normal()) })
            })
        let judged = DistanceOutliers.judge(distances, errorBudget: 0.01)
        #expect((judged[9]?.share ?? 0) > 0.015, "more of it is abnormal")
        #expect(judged.values.allSatisfy { !$0.isTarget })
    }

    @Test func tooFewAreNotJudged() {
        #expect(
            DistanceOutliers.judge([0: [1, 2, 3], 1: Array(repeating: 1, count: 100)], errorBudget: 0.01)
                .isEmpty)
        #expect(DistanceOutliers.judge([:], errorBudget: 0.01).isEmpty)
        let small = DistanceOutliers.judge(
            [
                0: (1...20).map(Double.init), 1: (1...30).map(Double.init),
            ], errorBudget: 0.01)
        #expect(small.count == 2)
        // The largest of thirty is exceeded more often than one of a hundred.
        #expect(abs((small[0]?.expected ?? 0) - 1.0 / 31) < 1e-12)
    }

    @Test func theVerdictIsOfDistancesAlone() throws {
        let known = try PlantedPixels()
        var random = SplitMix64(seed: 8)
        var table = known.table
        let far = Set(known.planted.prefix(120))
        for sample in table.distance.indices {
            table.distance[sample] = Float(exp(0.4 * random.normal()) * (far.contains(sample) ? 20 : 1))
            table.adversarialLabel[sample] = Int32((known.images.labels[sample] + 1) % 4)
        }
        let outcome = PublishedDetection(images: known.images, table: table, judge: .standard).run()
        let verdict = outcome.verdict
        #expect(verdict.result == .backdoored && verdict.targetClasses == [0])
        #expect(verdict.confidence == nil && verdict.detectableRate == nil)
        #expect(verdict.evidence.statements.first?.hasPrefix("This is the published method alone") == true)
        #expect(verdict.evidence.statements[1].hasPrefix("Class class-0: "))
        #expect(verdict.evidence.statements.last?.hasPrefix("Not excluded: ") == true)
        #expect(verdict.evidence.classes.allSatisfy { $0.distanceAUROC == nil && $0.triggerEffect == nil })
        let flagged = outcome.flagged.indices.filter { outcome.flagged[$0] }
        #expect(far.isSubset(of: flagged) && flagged.count < far.count + 12)
        #expect(flagged.allSatisfy { outcome.scores[$0] > 0.5 })
        let backdoors = outcome.diagnosis.backdoors
        #expect(backdoors.map(\.label) == [0])

        // Its labels are the adversarial ones, whatever a model sees in the images.
        var restoration = LabelRestoration(
            images: known.images, table: table,
            targets: try backdoors.map { try Target($0, images: known.images, store: known.store()) },
            mirrors: false,
            parameters: Parameters(), token: try CancellationToken())
        try restoration.ask(known.answers(), about: flagged, sanitised: true)
        #expect(flagged.allSatisfy { restoration.label($0) == Int(table.adversarialLabel[$0]) })
        #expect(Treatments.fitting(backdoors, method: .published).map(\.name) == ["restore"])
    }

    /// Samples that the sanitised model lets go are flagged in phase 2, in the target's class alone.
    @Test func whatTheModelsDisagreeAboutIsFlagged() throws {
        let known = try PlantedPixels()
        var finding = known.finding
        let found = DistanceOutliers(count: 300, limit: 1, abnormal: 150, expected: 0.01)
        let carriers = known.planted.map { ($0, found.posterior(abnormal: $0 < 150)) }
        finding.trigger = nil
        finding.conclude(
            .backdoored, from: .distance(found, carriers: Dictionary(uniqueKeysWithValues: carriers)))
        var diagnosis = known.diagnosis
        diagnosis.backdoors = [finding].compactMap(Backdoor.init)
        diagnosis.flagged = known.images.labels.indices.map { $0 < 150 }
        var pool = TrainingPool(diagnosis, table: known.table, images: known.images, seed: 3)
        let sanitised = try known.model.copy(seed: 1)
        try known.tuning().run(
            sanitised, pool: known.pool(), material: known.material(known.pool())
        ) { _ in }
        var refinement = try ProgressiveRefinement(
            images: known.images, targets: diagnosis.backdoors,
            before: ModelAnswers(of: known.model, on: known.images),
            token: CancellationToken())
        let disagreement = try refinement.refine(&pool, with: known.answers(of: sanitised))
        #expect(disagreement.newlyFlagged.count > 100, "\(disagreement.newlyFlagged.count)")
        #expect(disagreement.newlyFlagged.allSatisfy { (150..<300).contains($0) })
    }
}
