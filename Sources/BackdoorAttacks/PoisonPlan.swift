import Problems
import SeededRandom

/// Which images an attack may stamp, and what it labels them.
public enum LabelRule: Hashable, Sendable {
    /// Images of every other class, labelled as the target.
    case allToOne(target: Int)
    /// Images of every class, each labelled as the next class (the last as the first).
    case allToAll
    /// Images of the target class, their labels kept.
    case cleanLabel(target: Int)

    /// Whether an image of this class may be poisoned.
    public func mayPoison(_ label: Int) -> Bool {
        switch self {
        case .allToOne(let target): label != target
        case .allToAll: true
        case .cleanLabel(let target): label == target
        }
    }

    /// The label that a poisoned training image of this class is given.
    public func label(for trueLabel: Int, classes: Int) -> Int {
        switch self {
        case .allToOne(let target), .cleanLabel(let target): target
        case .allToAll: (trueLabel + 1) % classes
        }
    }

    /// Whether a triggered test image of this class counts towards the attack success rate: its true class
    /// differs from the one that the attacker wants.
    public func countsForSuccess(_ trueLabel: Int, classes: Int) -> Bool {
        label(for: trueLabel, classes: classes) != trueLabel
    }
}

/// Which samples of a training set are poisoned, and the labels that they are given.
///
/// A function of its arguments alone: the same labels, rule, rate and seed give the same plan.
public struct PoisonPlan: Hashable, Sendable {
    public let rule: LabelRule
    /// Indices of the poisoned samples, ascending.
    public let poisoned: [Int]
    /// Of all the samples: true labels, and the labels of the poisoned set.
    public let trueLabels: [Int]
    public let givenLabels: [Int]

    /// - Parameters:
    ///   - trueLabels: indices in 0..<classes, one a sample.
    ///   - rate: the poisoned share of the whole set, 0 to 1 (papers on clean-label attacks give a share of
    ///     the target class instead). The number of poisoned samples is rate * samples, rounded.
    /// - Throws: `poison-plan-impossible` when a label, the target or the rate is out of range, or when fewer
    ///   samples may be poisoned than the rate asks for.
    public init(trueLabels: [Int], classes: Int, rule: LabelRule, rate: Double, seed: UInt64) throws(Problem)
    {
        guard rate >= 0, rate <= 1 else { throw Self.impossible("The rate is \(rate); it must be 0 to 1.") }
        guard classes > 0, trueLabels.allSatisfy({ (0..<classes).contains($0) }) else {
            throw Self.impossible("A label is not one of the \(classes) classes.")
        }
        switch rule {
        case .allToOne(let target), .cleanLabel(let target):
            guard (0..<classes).contains(target) else {
                throw Self.impossible("The target class \(target) is not one of the \(classes) classes.")
            }
        case .allToAll: break
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
        self.rule = rule
        self.trueLabels = trueLabels
        givenLabels = given
    }

    private static func impossible(_ detail: String) -> Problem {
        Problem(
            .unprocessable, code: "poison-plan-impossible", title: "The poisoning is not possible",
            detail: detail)
    }
}
