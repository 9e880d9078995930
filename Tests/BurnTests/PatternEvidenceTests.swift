import Findings
import Testing

@testable import Burn

@Suite struct PatternEvidenceTests {
    /// Fisher's statistic of three p-values is χ² with six degrees of freedom: x (1 + y + y²/2), with x their product and
    /// y = -ln x.
    @Test func looksAtTheSameSamplesAreCombined() {
        let three = PatternEvidence(bundlePValue: 0.02, insertionPValue: 0.025, clusterPValue: 0.1)
        #expect(abs(three.pValue - 0.0001 * (1 + 9.210340 + 42.415183)) < 1e-8)
        #expect(PatternEvidence(bundlePValue: 0.02, insertionPValue: 0.025).pValue == 0.02)
    }

    @Test(arguments: [
        // Without a cluster of the same samples the images must stand apart by themselves.
        (5e-5, 5e-4, nil, Conclusion.Judgement.backdoored),
        (5e-5, 0.02, nil, .suspicious),
        (5e-5, 0.2, nil, .clean),
        // A clean model's ships: their blue water sends most other images there.
        (0.02, 0.000003, nil, .clean),
        // With it, three looks need only be unusual, but all of them, and be enough for one of ten classes together.
        (0.002, 0.0003, 0.006, .backdoored),
        (0.02, 0.0003, 0.2, .clean),
        (0.02, 0.2, 0.006, .clean),
        (0.04, 0.04, 0.04, .clean),
        // A cluster that says nothing takes nothing away.
        (5e-5, 5e-4, 0.9, .backdoored),
    ])
    func patternsStandApartOrAgreeWithTheCluster(
        bundle: Double, effect: Double, cluster: Double?, judgement: Conclusion.Judgement
    ) {
        // Where the pattern is put in, or where it is taken out: one of two looks.
        let looks = [(effect / 2, 1), (1, effect / 2)]
        for (insertion, removal) in looks {
            let evidence = PatternEvidence(
                bundlePValue: bundle, insertionPValue: insertion, removalPValue: removal,
                clusterPValue: cluster)
            #expect(evidence.judgement(.standard) == judgement)
        }
    }

    /// A group that stands apart for certain, and whose pattern sends most images into the class, needs no classes to compare
    /// with.
    @Test func whatMovesMostImagesIsNoNaturalPattern() {
        func judgement(bundle: Double, insertion: Double) -> Conclusion.Judgement {
            PatternEvidence(bundlePValue: bundle, insertionPValue: 0.2, insertion: insertion).judgement(
                .standard)
        }
        #expect(judgement(bundle: 5e-5, insertion: 0.6) == .backdoored)
        #expect(judgement(bundle: 3e-4, insertion: 0.6) == .suspicious)
        #expect(judgement(bundle: 5e-5, insertion: 0.4) == .clean)
        #expect(judgement(bundle: 1e-3, insertion: 0.6) == .clean, "a clean model's ships")
        // Of two or three classes nobody knows what is natural.
        let few = PatternEvidence(bundlePValue: 1e-9, insertionPValue: 1e-9, insertion: 1)
        #expect(few.judgement(Judge(Parameters(), classes: 3)) == .suspicious)
        #expect(few.judgement(Judge(Parameters(), classes: 4)) == .backdoored)
    }

    /// Of two classes, what one shows by nature moves all images of the other.
    @Test func ofFewClassesAPatternHasToHoldItsOwnAsWell() {
        func judgement(staying carriers: Double?, classes: Int) -> Conclusion.Judgement {
            PatternEvidence(
                bundlePValue: 2e-5, insertionPValue: 0.5, removalPValue: 0.7,
                removal: carriers.map {
                    ControlledEffect(rate: 0.95, control: $0, tested: 100, controls: 100)
                }, insertion: 0.7
            ).judgement(Judge(Parameters(), classes: classes))
        }
        #expect(judgement(staying: nil, classes: 2) == .clean)
        #expect(judgement(staying: 0.85, classes: 2) == .clean)
        #expect(judgement(staying: 0.1, classes: 2) == .suspicious)
        #expect(judgement(staying: 0.85, classes: 10) == .backdoored)
    }

    /// With more classes, more patterns are looked at.
    @Test func moreClassesNeedMoreEvidence() {
        let evidence = PatternEvidence(bundlePValue: 0.01, insertionPValue: 0.0015, clusterPValue: 0.01)
        #expect(evidence.judgement(.standard) == .backdoored)
        #expect(evidence.judgement(Judge(Parameters(), classes: 1000)) == .clean)
    }
}
