import Execution
import Findings
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// Restored labels of samples whose true classes are known (`PlantedPixels`).
@Suite struct LabelRestorationTests {
    struct Case {
        var restoration: LabelRestoration
        var planted: [Int]
        var truth: [Int]
        /// Share of the planted samples that the model alone sees rightly once the pixel is gone.
        var seen: Double
    }

    private func restored(sources: [Int], moved: [Int]) throws -> Case {
        let known = try PlantedPixels(sources: sources, moved: moved)
        let token = try CancellationToken()
        var restoration = LabelRestoration(
            images: known.images, table: known.table, targets: try known.targets(), ordinary: known.ordinary,
            mirrors: false, parameters: Parameters(), token: token)
        try restoration.ask(known.answers(), about: known.planted, sanitised: false)
        let trigger = try #require(known.finding.trigger)
        let bare = try trigger.removed(from: known.images.batch(known.planted))
        let seen: [Int] = try known.model.forward(bare, mode: .inference, token: token).argmax(1).array()
        return Case(
            restoration: restoration, planted: known.planted, truth: known.truth,
            seen: Double(zip(seen, known.truth).count { $0 == $1 }) / 300)
    }

    /// What they are seen as, however surely.
    private func share(_ found: Case) throws -> Double {
        let seen: [Int] = try found.restoration.labels(found.planted).rows(Array(0..<300)).argmax(1).array()
        return Double(zip(seen, found.truth).count { $0 == $1 }) / 300
    }

    @Test func aSingleSourceIsRecognised() throws {
        let found = try restored(sources: [2], moved: [2])
        #expect(found.seen < 0.75)
        #expect(try share(found) > 0.95)
        let taught: [Float] = try found.restoration.labels(found.planted).rows(Array(0..<300)).select(1, 2)
            .array()
        #expect(taught.reduce(0, +) / 300 > 0.8)
    }

    /// What is seen alone counts where the trigger moves all classes: that it was planted from one would be the removal's doing.
    @Test func aTriggerForAllClassesHasNoSource() throws {
        let found = try restored(sources: [2], moved: [1, 2, 3])
        #expect(try abs(share(found) - found.seen) < 0.08)
    }

    /// Nothing is gained where all classes were poisoned alike, and nothing is lost.
    @Test func severalSourcesAreLeftAsTheyAreSeen() throws {
        let found = try restored(sources: [1, 2, 3], moved: [1, 2, 3])
        #expect(try share(found) > found.seen - 0.08)
    }

    /// A label that would be a guess is not given, and where labels may be true none is.
    @Test(arguments: [LabelReading.wrong, .open, .right])
    func aGuessIsNoCorrection(reading: LabelReading) throws {
        let known = try PlantedPixels()
        var targets = try known.targets()
        targets[0].backdoor.labels = reading
        var restoration = LabelRestoration(
            images: known.images, table: known.table, targets: targets, ordinary: known.ordinary,
            mirrors: false, parameters: Parameters(), token: try CancellationToken())
        try restoration.ask(known.answers(), about: known.planted, sanitised: false)
        let confidences = known.planted.map { restoration.confidence($0) }
        guard reading == .wrong else {
            #expect(known.planted.allSatisfy { restoration.label($0) == 0 })
            #expect(confidences.allSatisfy { $0 == nil })
            return
        }
        var sure = (right: 0, total: 0, sum: 0.0)
        for (sample, confidence) in zip(known.planted, confidences) {
            let confidence = try #require(confidence)
            let isRestored = restoration.label(sample) != 0
            #expect(isRestored == (confidence >= Parameters().leastLabelConfidence), "\(confidence)")
            guard isRestored else { continue }
            sure.total += 1
            sure.sum += confidence
            sure.right += restoration.label(sample) == known.truth[sample] ? 1 : 0
        }
        #expect(sure.total > 100)
        let rate = Double(sure.right) / Double(sure.total)
        #expect(abs(rate - sure.sum / Double(sure.total)) < 0.1, "confidences are honest: \(rate)")
    }

    /// What is known by a mean perturbation alone can't be put into ordinary samples: nothing is known of its labels then.
    @Test func aTriggerThatCannotBePutInTellsNoConfidence() throws {
        let known = try PlantedPixels()
        var backdoor = try #require(known.diagnosis.backdoors.first)
        guard case .pixels(let estimate, _, let perturbed)? = backdoor.trigger else {
            Issue.record("no trigger is known")
            return
        }
        backdoor.trigger = .pixels(estimate, form: AddedPattern.at(2), perturbed: perturbed)
        var restoration = LabelRestoration(
            images: known.images, table: known.table,
            targets: [try Target(backdoor, images: known.images, store: known.store())],
            ordinary: known.ordinary, mirrors: false, parameters: Parameters(), token: try CancellationToken()
        )
        try restoration.ask(known.answers(), about: known.planted, sanitised: false)
        #expect(known.planted.allSatisfy { restoration.confidence($0) == nil && restoration.label($0) != 0 })
    }
}
