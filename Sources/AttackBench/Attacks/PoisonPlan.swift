import Support

/// Which images an attack may stamp, and what it labels them.
public enum LabelRule: Hashable, Sendable {
    /// Images of every other class, labelled as the target.
    case allToOne(target: Int)
    /// Images of every class, each labelled as the next class (the last as the first).
    case allToAll
    /// Images of the target class, their labels kept.
    case cleanLabel(target: Int)
    /// Images of the source class only, labelled as the target.
    case sourceSpecific(source: Int, target: Int)

    /// Whether an image of this class may be poisoned.
    public func mayPoison(_ label: Int) -> Bool {
        switch self {
        case .allToOne(let target): label != target
        case .allToAll: true
        case .cleanLabel(let target): label == target
        case .sourceSpecific(let source, _): label == source
        }
    }

    /// The class that all triggered images are sent to; nil for `allToAll`.
    public var target: Int? {
        switch self {
        case .allToOne(let target), .cleanLabel(let target), .sourceSpecific(_, let target): target
        case .allToAll: nil
        }
    }

    /// The label that a poisoned training image of this class is given.
    public func label(for trueLabel: Int, classes: Int) -> Int {
        target ?? (trueLabel + 1) % classes
    }

    /// Whether a triggered test image of this class counts towards the attack success rate: the attacker
    /// wants another class for it than the true one.
    public func countsForSuccess(_ trueLabel: Int, classes: Int) -> Bool {
        if case .sourceSpecific(let source, let target) = self {
            return trueLabel == source && source != target
        }
        return label(for: trueLabel, classes: classes) != trueLabel
    }
}

/// What a training sample is to an attack.
public enum SampleRole: String, Codable, Hashable, Sendable, CaseIterable {
    case clean
    /// It carries the trigger and the attacker's label.
    case poisoned
    /// It carries the trigger, or something like it, and its true label.
    case cover
}

/// Which samples of a training set are poisoned, and the labels that they are given.
///
/// A function of its arguments alone: the same labels, rule, rate and seed give the same plan.
public struct PoisonPlan: Hashable, Sendable {
    public let rule: LabelRule
    /// Indices of the poisoned samples, ascending.
    public let poisoned: [Int]
    /// Indices of the cover samples, ascending; none of them is poisoned.
    public let cover: [Int]
    /// Of all the samples: true labels, and the labels of the poisoned set.
    public let trueLabels: [Int]
    public let givenLabels: [Int]
    private let roles: [SampleRole]
    private let seed: UInt64

    /// - Parameters:
    ///   - trueLabels: indices in 0..<classes, one a sample.
    ///   - rate: the poisoned share of the whole set, 0 to 1 (papers on clean-label attacks give a share of
    ///     the target class instead). The number of poisoned samples is rate * samples, rounded.
    ///   - coverRate: the share of cover samples in the whole set.
    ///   - coverClasses: that they are taken from; nil: all.
    /// - Throws: `poison-plan-impossible` when a label, a class or a rate is out of range, or when fewer
    ///   samples may be poisoned, or are left to be cover, than the rates ask for.
    public init(
        trueLabels: [Int], classes: Int, rule: LabelRule, rate: Double, coverRate: Double = 0,
        coverClasses: Set<Int>? = nil, seed: UInt64
    ) throws(Problem) {
        for rate in [rate, coverRate] {
            guard rate >= 0, rate <= 1 else {
                throw Self.impossible("A rate is \(rate); it must be 0 to 1.")
            }
        }
        guard classes > 0, trueLabels.allSatisfy({ (0..<classes).contains($0) }) else {
            throw Self.impossible("A label is not one of the \(classes) classes.")
        }
        var named = coverClasses ?? []
        if let target = rule.target { named.insert(target) }
        if case .sourceSpecific(let source, _) = rule { named.insert(source) }
        for label in named where !(0..<classes).contains(label) {
            throw Self.impossible(
                "The attack names class \(label), which is not one of the \(classes) classes.")
        }
        let pool = trueLabels.indices.filter { rule.mayPoison(trueLabels[$0]) }
        let wanted = Int((rate * Double(trueLabels.count)).rounded())
        guard wanted <= pool.count else {
            throw Self.impossible(
                "A rate of \(rate) asks for \(wanted) samples; the attack may poison \(pool.count).")
        }
        var random = SplitMix64(seed: seed)
        poisoned = random.sample(wanted, outOf: pool.count).map { pool[$0] }.sorted()
        var given = trueLabels
        for index in poisoned { given[index] = rule.label(for: trueLabels[index], classes: classes) }
        var roles = [SampleRole](repeating: .clean, count: trueLabels.count)
        for index in poisoned { roles[index] = .poisoned }
        let coverPool = trueLabels.indices.filter {
            roles[$0] == .clean && coverClasses?.contains(trueLabels[$0]) ?? true
        }
        let coverWanted = Int((coverRate * Double(trueLabels.count)).rounded())
        guard coverWanted <= coverPool.count else {
            throw Self.impossible(
                "A cover rate of \(coverRate) asks for \(coverWanted) samples; \(coverPool.count) are left.")
        }
        cover = random.sample(coverWanted, outOf: coverPool.count).map { coverPool[$0] }.sorted()
        for index in cover { roles[index] = .cover }
        self.rule = rule
        self.trueLabels = trueLabels
        self.seed = seed
        self.roles = roles
        givenLabels = given
    }

    public func role(of index: Int) -> SampleRole { roles[index] }

    /// Seeds a sample's own random part.
    func sampleSeed(of index: Int) -> UInt64 {
        var random = SplitMix64(seed: seed, keys: UInt64(bitPattern: Int64(index)))
        return random.next()
    }

    private static func impossible(_ detail: String) -> Problem {
        Problem(
            .unprocessable, code: "poison-plan-impossible", title: "The poisoning is not possible",
            detail: detail)
    }
}
