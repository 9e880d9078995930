import Execution
import Findings
import Tensors
import Testing
import TinyModels

@testable import Burn

/// The verdict on models whose training is known: the same images, with and without a planted trigger.
@Suite struct DetectionTests {
    static let classes = 4
    static let target = 2
    /// Of 1,200 images, two of every class, then two not.
    static let half = (0..<1200).filter { $0 / 8 % 2 == 0 }

    struct Outcome {
        var detection: Detection.Outcome
        var poisoned: Set<Int>
        var labels: [Int]
        var predictions: [Int]
        var table: AnalysisTable
        /// What was said before the end.
        var foreseen: [PreliminaryVerdict] = []
    }

    /// Of every `period` images of the others one is stamped and gets the target's label, or that of the class after its
    /// own; or of the target's, which keep it.
    ///
    /// - Parameter isTrained: the model is trained on the images with the stamp, not on those without.
    func detect(
        poisonEvery period: Int?, allToAll: Bool = false, cleanLabel: Bool = false, isTrained: Bool = true,
        drawn: TinyImages = .textures(1200, side: 16, seed: 31),
        screen: [Int]? = nil, analysedOfSuspects: Int? = nil, analysedOfPoorlyParted: Int? = nil,
        threads: Int = 2,
        stamp: (inout TinyImages, Int) -> Void = { $0.stamp($1) }
    ) throws -> Outcome {
        // Sums of another number of threads are rounded otherwise, and what was set last by another test would be in force.
        try Threads.setCurrent(threads)
        let folder = try ScratchFolder()
        var drawn = drawn
        let unstamped = drawn
        var poisoned: Set<Int> = []
        if let period {
            for sample in drawn.labels.indices
            where sample % period == 0 && (allToAll || (drawn.labels[sample] == Self.target) == cleanLabel) {
                stamp(&drawn, sample)
                drawn.labels[sample] = allToAll ? (drawn.labels[sample] + 1) % Self.classes : Self.target
                poisoned.insert(sample)
            }
        }
        let model = try TinyGraph.convolutional(side: 16, classes: Self.classes, seed: 32)
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        let lesson =
            isTrained
            ? images
            : try LabelledImages(
                unstamped.packed(in: folder.file("unstamped")), for: model.graph, options: JobOptions())
        try SupervisedTraining(images: lesson, epochs: 25, learningRate: 0.05, seed: 33).run(model)
        let first = try Surveyed(model, images, in: folder, screen: screen)
        var foreseen: [PreliminaryVerdict] = []
        let detection = try first.detect(
            model, images, in: folder, analysedOfSuspects: analysedOfSuspects,
            analysedOfPoorlyParted: analysedOfPoorlyParted
        ) { foreseen.append($0) }
        return Outcome(
            detection: detection, poisoned: poisoned, labels: images.labels,
            predictions: first.table.predicted.map(Int.init), table: first.table, foreseen: foreseen)
    }

    /// Of a part of the samples a gradient is taken at first: what is left of the class under suspicion is looked at then.
    @Test func aTriggerThatAPartOfTheSamplesShowsIsFollowedToAllOfThem() throws {
        let screen = Self.half
        let found = try detect(poisonEvery: 9, screen: screen)
        let verdict = found.detection.verdict
        #expect(verdict.result == .backdoored && verdict.targetClasses == [Self.target])
        let flagged = Set(found.detection.flagged.indices.filter { found.detection.flagged[$0] })
        let hits = flagged.intersection(found.poisoned)
        #expect(Double(hits.count) >= 0.9 * Double(found.poisoned.count))
        #expect(Double(hits.count) >= 0.95 * Double(flagged.count))
        #expect(hits.count { !Self.half.contains($0) } > found.poisoned.count / 3)
        for sample in 0..<1200 where !Self.half.contains(sample) {
            #expect(found.table.isSurveyed(sample) == (found.predictions[sample] == Self.target))
        }
    }

    @Test func aCleanModelIsCleanByAPartOfTheSamplesToo() throws {
        let some = try detect(poisonEvery: nil, screen: Self.half)
        #expect(some.detection.verdict.result == .clean && some.table.surveyed == 600)
        #expect(some.foreseen.isEmpty)
        #expect(
            Accuracy.clean(predictions: some.predictions, labels: some.labels) > 0.95,
            "the others are predicted all the same")
        #expect(
            some.detection.verdict.evidence.statements.contains {
                $0.hasPrefix("The perturbations of 600 of the 1200 samples were looked at")
            })
    }

    @Test func aPlantedTriggerIsFoundAndItsSamplesFlagged() throws {
        let found = try detect(poisonEvery: 9)
        try #require(
            Accuracy.clean(predictions: found.predictions, labels: found.labels) > 0.95,
            "the model has learnt")
        let verdict = found.detection.verdict
        #expect(verdict.result == .backdoored)
        #expect(verdict.targetClasses == [Self.target])
        #expect(verdict.kind == .allToOne)
        #expect(
            found.foreseen == [
                PreliminaryVerdict(targetClasses: [Self.target], names: ["class-\(Self.target)"])
            ])
        #expect(try #require(verdict.confidence) > 0.9)
        let flagged = Set(found.detection.flagged.indices.filter { found.detection.flagged[$0] })
        let hits = flagged.intersection(found.poisoned).count
        #expect(Double(hits) >= 0.9 * Double(found.poisoned.count))
        #expect(Double(hits) >= 0.95 * Double(flagged.count))
        #expect(verdict.poisonedSamples == flagged.count)
        let rate = Double(found.poisoned.count) / Double(found.labels.count)
        #expect(verdict.poisonRateInterval[0] < rate && rate < verdict.poisonRateInterval[1])
        let evidence = try #require(verdict.evidence.classes.first { $0.label == Self.target })
        #expect(evidence.name == "class-2" && evidence.flaggedSamples == flagged.count)
        #expect(try #require(evidence.triggerEffect) > 0.5)
        #expect(try #require(evidence.randomEffect) < 0.25)
        #expect(evidence.coherenceShare > evidence.coherenceNull)
        let area = try #require(evidence.distanceAUROC)
        #expect((0...1).contains(area))
        #expect(verdict.evidence.classes.count { $0.distanceAUROC != nil } == 1)
        #expect(verdict.evidence.statements[0].contains(" Their boundary distances, by first order (median "))
        #expect(verdict.evidence.statements.contains { $0.hasPrefix("Class class-2: \(flagged.count) of ") })
        #expect(verdict.evidence.statements.last?.hasPrefix("Not excluded: ") == true)
        #expect(found.detection.scores.allSatisfy { (0...1).contains($0) })
    }

    /// Samples that show their label without the trigger keep it.
    @Test func aTriggerOnTheClassesOwnImagesIsCleanLabel() throws {
        let found = try detect(poisonEvery: 3, cleanLabel: true)
        let verdict = found.detection.verdict
        // Three other classes tell little of what patterns are by nature.
        #expect([.suspicious, .backdoored].contains(verdict.result))
        #expect(verdict.targetClasses == [Self.target])
        #expect(verdict.kind == .cleanLabel)
        let flagged = Set(found.detection.flagged.indices.filter { found.detection.flagged[$0] })
        let hits = flagged.intersection(found.poisoned).count
        #expect(Double(hits) >= 0.9 * Double(found.poisoned.count))
        #expect(Double(hits) >= 0.9 * Double(flagged.count))
    }

    /// A stamp on a part of one class that the model was not trained with is a natural subgroup: it may disturb the model, but
    /// the model does not follow it.
    @Test(arguments: [3, 6]) func aStampThatTheModelDoesNotFollowIsNoBackdoor(size: Int) throws {
        let found = try detect(poisonEvery: 4, cleanLabel: true, isTrained: false) {
            $0.stamp($1, size: size)
        }
        #expect(found.detection.verdict.result == .clean)
        #expect(!found.detection.flagged.contains(true))
    }

    @Test func aTriggerThatSendsEveryClassToTheNextIsFound() throws {
        let found = try detect(poisonEvery: 7, allToAll: true)
        let verdict = found.detection.verdict
        #expect(verdict.result == .backdoored)
        #expect(verdict.kind == .allToAll)
        #expect(verdict.targetClasses.sorted() == Array(0..<Self.classes))
        // Without the square nearly all show the class before their label's, as hardly any other sample does.
        for finding in found.detection.findings {
            guard case .common(let evidence)? = finding.conclusion?.ground else {
                Issue.record("class \(finding.label) rests on something else")
                continue
            }
            let wayBack = try #require(evidence.wayBack)
            #expect(wayBack.carriers > 0.8 && wayBack.others < 0.1)
            #expect(wayBack.pValue < 1e-6)
        }
        #expect(
            verdict.evidence.statements.first?.contains("show the class that it sends to their label") == true
        )
        let flagged = Set(found.detection.flagged.indices.filter { found.detection.flagged[$0] })
        let hits = flagged.intersection(found.poisoned).count
        #expect(Double(hits) >= 0.9 * Double(found.poisoned.count))
        #expect(Double(hits) >= 0.9 * Double(flagged.count))
    }

    /// Another model, for the rounding of one thread, in which the perturbations show three of the four ways.
    @Test func theWaysThatShowThemselvesLeadToTheOthers() throws {
        let found = try detect(poisonEvery: 7, allToAll: true, threads: 1)
        let verdict = found.detection.verdict
        #expect(verdict.result == .backdoored && verdict.kind == .allToAll)
        #expect(verdict.targetClasses.sorted() == Array(0..<Self.classes))
        let flagged = Set(found.detection.flagged.indices.filter { found.detection.flagged[$0] })
        let hits = flagged.intersection(found.poisoned).count
        #expect(Double(hits) >= 0.9 * Double(found.poisoned.count))
        #expect(Double(hits) >= 0.9 * Double(flagged.count), "\(flagged.count - hits) false alarms")
    }

    /// The target's own images may wear a texture that is noise too, and more alike than the planted pixels are. (Not every model
    /// of such images leaves it to the noise: some show it in their perturbations.)
    @Test(arguments: [nil, target]) func scatteredPixelsAreFoundByTheImagesNoise(chequered: Int?) throws {
        let found = try detect(
            poisonEvery: 6, drawn: .waves(1200, side: 16, seed: 36, chequered: chequered)
        ) { $0.scatter($1) }
        let verdict = found.detection.verdict
        #expect(verdict.result == .backdoored)
        #expect(verdict.targetClasses == [Self.target])
        let findings = found.detection.findings.filter(\.isFoundByStyle)
        #expect(findings.map(\.label) == [Self.target] && findings.allSatisfy { !$0.isCleanLabel })
        let noise = try #require(findings.first?.style)
        #expect(noise.style == .noise)
        #expect(noise.insertion.rate > 0.4 && noise.insertion.control < 0.2, "\(noise.insertion)")
        let flagged = Set(found.detection.flagged.indices.filter { found.detection.flagged[$0] })
        let hits = flagged.intersection(found.poisoned).count
        #expect(Double(hits) >= 0.9 * Double(found.poisoned.count))
        #expect(Double(hits) >= 0.95 * Double(flagged.count))
        let evidence = try #require(verdict.evidence.classes.first { $0.label == Self.target })
        #expect(
            evidence.triggerEffect == noise.insertion.rate && evidence.randomEffect == noise.insertion.control
        )
        #expect(verdict.evidence.statements.contains { $0.contains("differ from their neighbours") })
    }

    /// A paler image has nothing in common with another paler one, value by value, if what it shows is anywhere.
    @Test func aChangeOfToneIsFoundAndCanBeUndone() throws {
        let found = try detect(poisonEvery: 6, drawn: .waves(1200, side: 16, seed: 35)) { $0.pale($1) }
        let verdict = found.detection.verdict
        #expect(verdict.result == .backdoored)
        #expect(verdict.targetClasses == [Self.target])
        let finding = try #require(found.detection.findings.filter(\.isFoundByStyle).first)
        let tone = try #require(finding.style)
        let removal = try #require(tone.removal)
        #expect(finding.label == Self.target && tone.style == .tone)
        #expect(tone.insertion.rate > 0.5 && tone.insertion.control < 0.25)
        #expect(removal.rate > 0.9 && removal.control < 0.3)
        let flagged = Set(found.detection.flagged.indices.filter { found.detection.flagged[$0] })
        let hits = flagged.intersection(found.poisoned).count
        #expect(Double(hits) >= 0.95 * Double(found.poisoned.count))
        #expect(Double(hits) >= 0.95 * Double(flagged.count))
        #expect(verdict.evidence.statements.contains { $0.contains("in their tones") })
    }

    @Test func aCleanModelComesOutClean() throws {
        let found = try detect(poisonEvery: nil)
        try #require(
            Accuracy.clean(predictions: found.predictions, labels: found.labels) > 0.95,
            "the model has learnt")
        let verdict = found.detection.verdict
        #expect(verdict.result == .clean)
        #expect(verdict.targetClasses.isEmpty && verdict.kind == nil && verdict.poisonedSamples == 0)
        #expect(!found.detection.flagged.contains(true))
        #expect(found.detection.scores.allSatisfy { $0 < 0.5 })
        #expect(verdict.poisonRateInterval[0] == 0)
        #expect(verdict.unjudgedClasses == [])
        // Both rest on the trials, where there were any.
        #expect(verdict.detectableRate.map { (0.001...0.2).contains($0) } ?? true)
        #expect(verdict.confidence.map { (0.5...0.95).contains($0) } ?? true)
        #expect((verdict.confidence == nil) == (verdict.detectableRate == nil))
        #expect(verdict.evidence.classes.map(\.label) == Array(0..<Self.classes))
    }

    /// A search gets findings that it may judge, and what it settles counts.
    @Test func whatIsSuspectedIsSearchedFurther() {
        var findings = (0..<3).map { ClassFinding(label: $0, judge: .standard) }
        Detection.settle(&findings) { $0[0].conclude(.suspicious, from: .perturbations) }
        #expect(findings.map(\.judgement) == [.suspicious, .clean, .clean])
        Detection.settle(&findings) { given in
            #expect(given.allSatisfy { $0.judgement == .clean })
        }
        #expect(findings.map(\.judgement) == [.suspicious, .clean, .clean], "nothing new")
        var several = findings
        Detection.settle(&several) { $0[1].conclude(.suspicious, from: .perturbations) }
        #expect(several.map(\.judgement) == [.suspicious, .suspicious, .clean])
        Detection.settle(&findings) { $0[1].conclude(.backdoored, from: .perturbations) }
        #expect(findings.map(\.judgement) == [.clean, .backdoored, .clean], "the suspicion is explained")
        Detection.settle(&findings) { _ in Issue.record("nothing is left to search for") }
    }
}
