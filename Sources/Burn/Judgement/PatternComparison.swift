import Foundation

/// A pattern behind one class, and what it does.
struct PatternProposal {
    /// With the pattern's bundle, trigger and effect.
    var finding: ClassFinding
    var bundle: ImageBundle
    /// Samples with the class's label that carry the pattern.
    var carriers: Set<Int>
    /// Number of samples with the class's label.
    var classSize: Int

    var strength: Double { max(finding.excess, finding.removal?.excess ?? 0) }
}

/// Judges every class's pattern against those of the others: what images have in common by nature, and what that does.
struct PatternComparison {
    private let insertions: [Double]
    private let removals: [Double]
    /// By size of the bundle's gain, and by gain for each sample of the class: nothing stands apart by its size alone.
    private let gains: [[Double?]]

    /// - Parameter insertions: effects on other classes' images, by class.
    init(_ proposals: [PatternProposal?], insertions: [Double]) {
        self.insertions = insertions
        // Where there is no pattern, nothing is held by it.
        removals = proposals.map { $0?.finding.removal?.excess ?? 0 }
        gains = [
            proposals.map { $0.map { log(1 + $0.bundle.gain) } },
            proposals.map { $0.map { log(1 + $0.bundle.gain) - log(Double($0.classSize)) } },
        ]
    }

    /// - Parameter index: of the proposal among all.
    func evidence(_ index: Int, _ proposal: PatternProposal) -> PatternEvidence {
        PatternEvidence(
            bundlePValue: bundlePValue(index, proposal.bundle),
            insertionPValue: ControlledEffect.pValue(
                at: index, among: insertions, tested: TriggerSearch.probesPerTest) ?? 1,
            removalPValue: max(
                ControlledEffect.pValue(
                    at: index, among: removals, tested: TriggerSearch.mostForRemoval) ?? 1,
                proposal.finding.removal?.samplingPValue ?? 1),
            removal: proposal.finding.removal,
            insertion: proposal.finding.effect.map { $0.rate - $0.random } ?? 0, gain: proposal.bundle.gain,
            clusterPValue: proposal.finding.singlesOut(proposal.carriers)
                ? proposal.finding.coherencePValue : nil)
    }

    /// What the images of the other classes have in common is the truer null, where there are enough of them: what grows from
    /// random samples of one class is less alike than what its images have in common by nature.
    private func bundlePValue(_ index: Int, _ bundle: ImageBundle) -> Double {
        let pValues = gains.compactMap { gains -> Double? in
            guard gains.count(where: { $0 != nil }) > Self.fewestOthers else { return nil }
            return Statistics.pValue(at: index, among: gains, natural: .imageGain)
        }
        return pValues.max() ?? bundle.pValue
    }

    private static let fewestOthers = 3
}
