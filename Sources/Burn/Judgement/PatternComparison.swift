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

/// How clearly a class's pattern stands apart.
struct PatternGain {
    /// Of the bundle, in nats.
    var gain: Double
    /// Number of samples with the class's label.
    var classSize: Int
}

/// What was found when a pattern was looked for in a class's images.
struct PatternLook {
    /// As other classes are compared with it.
    var record: PatternRecord
    /// Nil where none stands apart, or what it does was not asked.
    var whole: PatternProposal?
    /// The part of it that does most; nil where it has none.
    var part: PatternProposal?
    /// Parts were looked for.
    var isParted = false

    /// One that was not looked at any further.
    init(gain: PatternGain?) { record = PatternRecord(gain: gain) }

    init(_ whole: PatternProposal?) { (record, self.whole) = (PatternRecord(whole), whole) }
}

/// What was found of a class's pattern, as those of other classes are compared with it.
struct PatternRecord {
    /// Nil where none stands apart.
    var gain: PatternGain?
    /// How far beyond chance it sends other classes' images into the class, and its samples leave without it; nil where that was not
    /// tested, and nothing where there is no pattern.
    var insertion: Double?
    var removal: Double?

    /// One that was not looked at any further; nil where none stands apart.
    init(gain: PatternGain?) {
        self.gain = gain
        if gain == nil { (insertion, removal) = (0, 0) }
    }

    /// - Parameter proposal: nil where no pattern stands apart.
    init(_ proposal: PatternProposal?) {
        gain = proposal.map { PatternGain(gain: $0.bundle.gain, classSize: $0.classSize) }
        insertion = proposal?.finding.excess ?? 0
        removal = proposal?.finding.removal?.excess ?? 0
    }
}

/// Judges every class's pattern against those of the others: what images have in common by nature, and what that does.
struct PatternComparison {
    private let insertions: [Double?]
    private let removals: [Double?]
    private let bundles: BundleComparison

    /// - Parameter records: by class; nil where no pattern was looked for.
    init(_ records: [PatternRecord?]) {
        insertions = records.map { $0?.insertion }
        removals = records.map { $0?.removal }
        bundles = BundleComparison(records.map { $0?.gain })
    }

    /// - Parameter index: of the proposal among all.
    func evidence(_ index: Int, _ proposal: PatternProposal) -> PatternEvidence {
        PatternEvidence(
            bundlePValue: bundles.pValue(index) ?? proposal.bundle.pValue,
            insertionPValue: ControlledEffect.pValue(
                at: index, among: insertions, tested: TriggerSearch.probes(of: insertions.count)) ?? 1,
            removalPValue: max(
                ControlledEffect.pValue(
                    at: index, among: removals, tested: TriggerSearch.mostForRemoval) ?? 1,
                proposal.finding.removal?.samplingPValue ?? 1),
            removal: proposal.finding.removal,
            insertion: proposal.finding.effect.map { $0.rate - $0.random } ?? 0, gain: proposal.bundle.gain,
            clusterPValue: proposal.finding.singlesOut(proposal.carriers)
                ? proposal.finding.coherencePValue : nil)
    }
}

/// How clearly bundles of images stand apart in their classes, each against those of the other classes.
struct BundleComparison {
    /// By size of the gain, and by gain for each sample of the class: nothing stands apart by its size alone.
    private let gains: [[Double?]]

    /// - Parameter found: by class; nil where nothing stands apart.
    init(_ found: [PatternGain?]) {
        gains = [
            found.map { $0.map { log(1 + $0.gain) } },
            found.map { $0.map { log(1 + $0.gain) - log(Double($0.classSize)) } },
        ]
    }

    /// What the images of the other classes have in common is the truer null, where there are enough of them: what grows from
    /// random samples of one class is less alike than what its images have in common by nature. Nil where there are too few.
    func pValue(_ index: Int) -> Double? {
        gains.compactMap { gains -> Double? in
            guard gains.count(where: { $0 != nil }) > Self.fewestOthers else { return nil }
            return Statistics.pValue(at: index, among: gains, natural: .imageGain)
        }.max()
    }

    /// The classes whose bundles stand apart most clearly, and only so many, ascending.
    func clearest(most: Int) -> [Int] {
        let found = gains[0].indices.filter { gains[0][$0] != nil }
        guard found.count > most else { return found }
        return found.map { ($0, pValue($0) ?? 1) }.sorted { $0.1 < $1.1 }.prefix(most).map(\.0).sorted()
    }

    private static let fewestOthers = 3
}
