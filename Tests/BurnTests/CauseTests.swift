import Findings
import Testing

@testable import Burn

/// A trigger is a cause where it works both ways.
@Suite struct CauseTests {
    private func finding(
        inserted: Double, random: Double = 0, of tested: Int = 384, staying: ControlledEffect?
    ) -> ClassFinding {
        var finding = ClassFinding(label: 0, judge: .standard)
        finding.labelledSuspects = 20
        finding.effect = TriggerEffect(
            form: AffineValues.at(1), rate: inserted, random: random, topSource: 1, topSourceRate: inserted,
            topSourceRandom: random, tested: tested, topSourceTested: tested)
        finding.removal = staying
        return finding
    }

    private func staying(_ carriers: Double, _ others: Double, of count: Int = 200) -> ControlledEffect {
        ControlledEffect(rate: others, control: carriers, tested: count, controls: count)
    }

    @Test func whatWorksBothWaysIsACause() {
        let planted = finding(inserted: 1, staying: staying(0.02, 0.98))
        #expect(planted.bothWays == 0.96)
        #expect(planted.isCause)
        // As ships' blue water does in a clean model.
        let natural = finding(inserted: 0.58, staying: staying(0.86, 0.71))
        #expect(natural.bothWays < 0 && !natural.isCause)
        // As a date stamp does.
        #expect(!finding(inserted: 0, staying: staying(0.3, 0.9)).isCause)
        #expect(!finding(inserted: 1, staying: nil).isCause, "not tested")
        #expect(!finding(inserted: 0.9, random: 0.8, staying: staying(0, 1)).isCause)
    }

    /// Where the class's next group works as well, it is what the class shows.
    @Test func whatTheClassShowsIsNoCause() {
        var shown = finding(inserted: 0.9, staying: staying(0.2, 0.95))
        shown.nextBothWays = 0.4
        #expect(!shown.isCause)
        shown.nextBothWays = 0.2
        #expect(shown.isCause)
    }

    /// Few samples may show a difference by chance: 7 of 8 against 3 of 8 is one in forty.
    @Test func chanceIsNoCause() {
        let few = finding(inserted: 0.9, staying: staying(3 / 8, 7 / 8, of: 8))
        #expect(few.bothWays == 0.5)
        #expect(few.isCause == false)
        #expect(finding(inserted: 0.9, staying: staying(3 / 8, 7 / 8, of: 80)).isCause)
        #expect(few.causePValue == 1)
    }

    /// A trigger for one source moves no others.
    @Test func aSourceSpecificTriggerIsACause() throws {
        var planted = finding(inserted: 0.1, staying: staying(0.1, 0.95))
        planted.effect?.topSourceRate = 0.9
        planted.effect?.topSourceTested = 40
        #expect(planted.isCause)
        planted.effect?.topSourceTested = 3
        #expect(!planted.isCause)
    }

    /// A cause is a backdoor, also where its cluster is not unusual among the classes: all of them may be poisoned.
    @Test func aCauseNeedsNoUnusualCluster() throws {
        var mixture = TwoComponentMixture(fitting: [0, 0.01, 0.02, 0.9, 0.91, 0.92], upper: [3, 4, 5])
        mixture.deviations = [0.05, 0.05]
        var planted = finding(inserted: 1, staying: staying(0, 1))
        planted.coherence = ClassCoherence(
            members: Array(0..<60), cosines: (0..<60).map { $0 < 30 ? 0.01 : 0.91 }, mixture: mixture,
            cluster: Array(30..<60))
        planted.coherencePValue = 0.9
        planted.judgeByPerturbations()
        #expect(planted.judgement == .backdoored)
        #expect(planted.decisivePValue == Parameters().naturalCause)
        planted.bothWaysPValue = 1e-6
        #expect(planted.decisivePValue == 1e-6, "against the job's other classes")
        var natural = finding(inserted: 1, staying: staying(0.9, 1))
        natural.coherence = planted.coherence
        natural.coherencePValue = 0.9
        natural.judgeByPerturbations()
        #expect(natural.judgement == .clean)

        // The other side as the cluster.
        let turned = try #require(planted.coherence).turned
        #expect(turned.cluster == Array(0..<30) && turned.remainder == Array(30..<60))
        #expect(turned.isDistinct(Parameters()))
        for (cosine, other) in zip(planted.coherence?.cosines ?? [], turned.cosines) {
            #expect(abs(turned.mixture.posterior(other) + mixture.posterior(cosine) - 1) < 1e-9)
        }
    }
}
