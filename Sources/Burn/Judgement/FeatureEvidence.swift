import Findings
import Foundation

/// What the penultimate layer says of one predicted class.
///
/// A warped or sample-specific trigger has no direction in input space that its samples share, but the model
/// has learned one feature for it: the changes of the penultimate activations under the samples' perturbations
/// form a bundle. Unlike perturbations of the input, these changes have much in common in clean classes too, so
/// a bundle only counts when it stands apart more clearly than other classes' do, and when unlearning it on
/// one half of its samples unlearns it on the other.
struct FeatureEvidence: Sendable {
    var coherence: ClassCoherence
    /// Of the bundle's gain against the other classes' gains.
    var gainPValue: Double
    /// Score of the side that is unlearned better, and its p-value against the same side of other classes; nil where nothing was
    /// trained, or not enough of it since no result could have raised a suspicion.
    var unlearned: (score: Double, pValue: Double)?
    /// Of every sample of the class, where that raises a suspicion.
    var unlearning: UnlearningTest.Outcome?
    /// Whether the class was to be tested.
    var isCandidate = false

    /// Of a candidate that was not trained to the end, the p-value of its gain, which is one by itself.
    var pValue: Double {
        unlearned.map { Statistics.combined(gainPValue, $0.pValue) } ?? (isCandidate ? gainPValue : 1)
    }

    /// Compares it with what the other classes show by now. Where it stands apart far more clearly than when it was tested, it is to be
    /// tested again.
    mutating func compare(_ gainPValue: Double) {
        if 2 * gainPValue < self.gainPValue { isCandidate = false }
        self.gainPValue = gainPValue
    }

    /// A bundle no clearer than this is not worth an unlearning test, which trains: of many classes, every second time one is by chance.
    /// What that test tells against three other classes is too little for a suspicion of one that stands out less.
    private static func worthTesting(_ classes: Int) -> Double { min(0.05, 0.5 / Double(classes)) }

    func isWorthTesting(_ judge: Judge) -> Bool {
        coherence.isDistinct(judge.parameters) && gainPValue < Self.worthTesting(judge.classes)
    }

    /// Evidence for every class, nil for those with too few samples. Each class's null are all the others.
    static func gather(_ coherences: [ClassCoherence?]) -> [FeatureEvidence?] {
        let gains = coherences.map { $0.map { log(1 + $0.gain) } }
        return coherences.indices.map { index in
            guard let coherence = coherences[index],
                let pValue = Statistics.pValue(at: index, among: gains, natural: .featureGain)
            else { return nil }
            return FeatureEvidence(coherence: coherence, gainPValue: pValue)
        }
    }
}
