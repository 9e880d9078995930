import Findings
import Testing
import TinyModels

@testable import Burn

/// More than one trigger in one training set: what is found is set aside, and more is looked for.
@Suite struct SeveralTriggersTests {
    private func rate(_ found: Set<Int>, of planted: some Collection<Int>) -> Double {
        Double(planted.count(where: found.contains)) / Double(planted.count)
    }

    private func flagged(_ found: DetectionTests.Outcome) -> Set<Int> {
        Set(found.detection.flagged.indices.filter { found.detection.flagged[$0] })
    }

    /// Three squares, each in a corner of its own: whichever is the clearest, the others are found after it.
    @Test func severalTriggersIntoOneClassAreAllFound() throws {
        let found = try DetectionTests().detect(poisonEvery: 5) { drawn, sample in
            switch sample / 5 % 3 {
            case 0: drawn.stamp(sample)
            case 1: drawn.square(sample, row: 0, column: 0, colour: [255, 0, 0])
            default: drawn.square(sample, row: 13, column: 0, colour: [0, 255, 255])
            }
        }
        let verdict = found.detection.verdict
        #expect(verdict.result == .backdoored && verdict.targetClasses == [DetectionTests.target])
        let flagged = flagged(found)
        for order in 0..<3 {
            let carriers = found.poisoned.filter { $0 / 5 % 3 == order }
            #expect(rate(flagged, of: carriers) >= 0.9, "square \(order)")
        }
        #expect(flagged.subtracting(found.poisoned).count <= flagged.count / 20)
        let finding = try #require(found.detection.findings.first { $0.label == DetectionTests.target })
        #expect(!finding.further.isEmpty)
        // Of every sample it is known which trigger it was flagged for.
        let pieces = [finding] + finding.further
        #expect(
            Set(pieces.flatMap(\.planted)) == flagged
                && pieces.reduce(0) { $0 + $1.planted.count } == flagged.count)
        let evidence = try #require(verdict.evidence.classes.first { $0.label == DetectionTests.target })
        #expect(evidence.flaggedSamples >= pieces.first?.planted.count ?? 0)
        #expect(evidence.furtherTriggers?.map(\.flaggedSamples) ?? [] == finding.further.map(\.planted.count))
        #expect(
            verdict.evidence.statements.count { $0.hasPrefix("With these set aside: ") }
                == finding.further.count)
        let backdoors = found.detection.diagnosis.backdoors
        #expect(backdoors.count == pieces.count && backdoors.allSatisfy { $0.trigger != nil })
    }

    /// A square into one class is found at once; paler images into another one take longer to find.
    @Test func aDecoyHidesNoOtherTrigger() throws {
        var drawn = TinyImages.waves(1200, side: 16, seed: 35)
        var planted: [Int: Set<Int>] = [:]
        for sample in stride(from: 0, to: 1200, by: 5) {
            let target = sample / 5 % 3 == 0 ? DetectionTests.target : 0
            guard drawn.labels[sample] != target else { continue }
            if target == 0 { drawn.pale(sample) } else { drawn.stamp(sample) }
            drawn.labels[sample] = target
            planted[target, default: []].insert(sample)
        }
        let found = try DetectionTests().detect(poisonEvery: nil, drawn: drawn)
        let verdict = found.detection.verdict
        #expect(verdict.result == .backdoored)
        #expect(verdict.targetClasses.sorted() == [0, DetectionTests.target])
        let flagged = flagged(found)
        for (target, carriers) in planted { #expect(rate(flagged, of: carriers) >= 0.9, "into \(target)") }
        let all = planted.values.reduce(into: Set()) { $0.formUnion($1) }
        #expect(flagged.subtracting(all).count <= flagged.count / 10)
        // The one was announced before the other was looked for.
        #expect(found.foreseen.map(\.targetClasses) == [[DetectionTests.target]])
    }

    @Test func whatIsSetAsideIsNotLookedAtAgain() {
        var rounds = DetectionRounds(classes: 3, judge: .standard)
        #expect(rounds.fresh == [0, 1, 2] && rounds.found.isEmpty && !rounds.isCutShort)
        rounds.findings[1].conclude(.backdoored, from: .perturbations)
        rounds.findings[2].conclude(.suspicious, from: .perturbations)
        rounds.setAside([1: [4, 5]], judge: .standard)
        #expect(rounds.goesOn && rounds.fresh == [1] && rounds.found.isEmpty && rounds.suspected == [2])
        rounds.findings[1].conclude(.backdoored, from: .perturbations)
        rounds.setAside([1: [6]], judge: .standard)
        #expect(rounds.planted.map(\.planted) == [[4, 5], [6]])
        rounds.findings[1].conclude(.suspicious, from: .perturbations)
        rounds.dropSuspicionsOfPlanted()
        #expect(rounds.suspected == [2], "what is left of a class is known by what was planted")
        let merged = rounds.merged
        #expect(merged.map(\.judgement) == [.clean, .backdoored, .suspicious])
        #expect(merged[1].planted == [4, 5] && merged[1].further.map(\.planted) == [[6]])
    }

    /// A suspicion that gave way to a backdoor elsewhere is not lost: without that one's samples the class is looked at again.
    @Test func whatWasSuspectedIsLookedAtAgain() {
        var rounds = DetectionRounds(classes: 4, judge: .standard)
        rounds.findings[2].conclude(.suspicious, from: .perturbations)
        Detection.settle(&rounds.findings) { $0[0].conclude(.backdoored, from: .perturbations) }
        rounds.setAside([0: [7]], judge: .standard)
        #expect(rounds.fresh == [0, 2] && rounds.found.isEmpty)

        // One that stayed is not looked at again, unless all are.
        rounds.findings[0].conclude(.backdoored, from: .perturbations)
        rounds.findings[3].conclude(.suspicious, from: .perturbations)
        rounds.setAside([0: [8]], judge: .standard)
        #expect(rounds.fresh == [0] && rounds.suspected == [3])
        rounds.findings[0].conclude(.backdoored, from: .perturbations)
        rounds.setAside([0: [9]], renewsAll: true, judge: .standard)
        #expect(rounds.fresh == [0, 1, 2, 3] && rounds.suspected.isEmpty)
    }

    /// A backdoor that flags nothing new is named once, and what is known of the class stays.
    @Test func aClassWithoutNewSamplesKeepsItsEvidence() throws {
        var rounds = DetectionRounds(classes: 2, judge: .standard)
        for _ in 0..<2 {
            for label in 0..<2 { rounds.findings[label].conclude(.backdoored, from: .perturbations) }
            rounds.findings[1].coherencePValue = 0.25
            rounds.setAside([0: [rounds.planted.count]], judge: .standard)
        }
        #expect(rounds.planted.map(\.label) == [0, 1, 0] && rounds.findings[1].coherencePValue == 0.25)
        #expect(rounds.findings[1].isClosed && rounds.goesOn, "others may be found")
        #expect(rounds.fresh == [0] && rounds.findings[0].coherencePValue == 1)
        #expect(rounds.findings[0].setAsideBefore == 2 && !rounds.findings[0].isClosed)
    }

    /// What would leave nothing of a class is no further trigger of it, and neither is what nothing is left beside.
    @Test func aClassIsNotTakenApart() throws {
        var drawn = TinyImages(side: 8)
        for _ in 0..<100 { drawn.add([UInt8](repeating: 9, count: 192), label: 0) }
        let folder = try ScratchFolder()
        let graph = try TinyGraph.convolutional(side: 8, classes: 2, seed: 1).graph
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: graph, options: JobOptions())
        /// Of the class's samples as many were set aside, and as many of those that are left and known are in the cluster.
        func isKept(_ cluster: Int, of known: Int, after setAside: Int) -> Bool {
            let left = Array(setAside..<setAside + known)
            var finding = ClassFinding(label: 0, judge: .standard)
            finding.setAsideBefore = setAside
            finding.coherence = ClassCoherence(
                members: left, cosines: left.map { _ in 1 },
                mixture: TwoComponentMixture(fitting: [0, 0, 1, 1], upper: [2, 3]),
                cluster: Array(left.prefix(cluster)))
            finding.conclude(.backdoored, from: .perturbations)
            finding.dropIfImplausible(
                in: images, LabelledSamples(of: images, apartFrom: Set(0..<setAside)))
            return finding.judgement == .backdoored
        }
        #expect(isKept(30, of: 70, after: 30))
        #expect(isKept(60, of: 70, after: 30), "nine tenths at most")
        #expect(!isKept(61, of: 70, after: 30))
        #expect(
            !isKept(34, of: 35, after: 30),
            "half of them are known: of those that are not as many are planted")
        #expect(!isKept(13, of: 20, after: 80), "hardly anything is left to compare with")
        #expect(isKept(99, of: 100, after: 0), "the first finding has its own rules")
    }

    /// A finding that is none must not end the search for others.
    @Test func whatIsDroppedSettlesNothing() throws {
        var findings = (0..<3).map { ClassFinding(label: $0, judge: .standard) }
        findings[2].conclude(.suspicious, from: .perturbations)
        findings[0].isClosed = true
        let drawn = TinyImages.noise(12, side: 8, classes: 3, seed: 2)
        let folder = try ScratchFolder()
        let graph = try TinyGraph.convolutional(side: 8, classes: 3, seed: 1).graph
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: graph, options: JobOptions())
        let labelled = LabelledSamples(of: images)
        var searched = 0
        for _ in 0..<2 {
            Detection.settle(&findings) { further in
                searched += 1
                further[0].conclude(.backdoored, from: .perturbations)
                for index in further.indices { further[index].dropIfImplausible(in: images, labelled) }
            }
        }
        #expect(searched == 2 && findings.map(\.judgement) == [.clean, .clean, .suspicious])
    }

    /// What stands out far more once a backdoor is set aside is tested again.
    @Test func aClearerBundleIsTestedAgain() throws {
        let coherence = ClassCoherence(
            members: [1, 2], cosines: [0, 1],
            mixture: TwoComponentMixture(fitting: [0, 0, 1, 1], upper: [2, 3]),
            cluster: [2])
        var evidence = FeatureEvidence(coherence: coherence, gainPValue: 0.04)
        evidence.isCandidate = true
        evidence.compare(0.03)
        #expect(evidence.isCandidate && evidence.gainPValue == 0.03)
        evidence.compare(0.001)
        #expect(!evidence.isCandidate && evidence.gainPValue == 0.001)
    }

    @Test func theSearchEnds() {
        var rounds = DetectionRounds(classes: 2, judge: .standard)
        for sample in 0..<DetectionRounds.most {
            #expect(rounds.goesOn)
            rounds.findings[0].conclude(.backdoored, from: .perturbations)
            rounds.setAside([0: [sample]], judge: .standard)
        }
        #expect(rounds.isCutShort)
    }

    /// Each of several backdoors into one class has its samples; one that is newly doubted goes with what it most likely carries.
    @Test func everySampleHasItsBackdoor() {
        var backdoors = [3, 1, 3].map { Backdoor(label: $0) }
        backdoors[0].planted = [10, 11]
        backdoors[2].planted = [12]
        backdoors[0].carriers = [10: 1, 13: 0.2]
        backdoors[2].carriers = [12: 1, 13: 0.4]
        let target = TargetOfSample(backdoors)
        #expect([10, 11, 12, 13].map { target.place(of: $0, labelled: 3) } == [0, 0, 2, 2])
        #expect(target.place(of: 99, labelled: 1) == 1 && target.place(of: 99, labelled: 0) == nil)
    }
}
