import Findings

/// The rules' settings for one job: what counts as an effect and as a group, and how much error each test may spend.
///
/// One budget stands for the whole scan. It is divided by the ways to a judgement (`looks`), each of which divides its part by the
/// classes that it asks about (Bonferroni: no dependence between the tests can exceed it).
package struct Judge: Hashable, Sendable {
    package let parameters: Parameters
    /// Classes that are asked about.
    let classes: Int

    package init(_ parameters: Parameters, classes: Int) {
        self.parameters = parameters
        self.classes = classes
    }

    /// Ways to a judgement that spend a part of the budget: perturbations, the same with what their trigger does, and with a
    /// pattern of the same samples; causes; patterns of one class, their parts, and those that the perturbations agree with; a pattern of all;
    /// each style, before and after it was unlearned; the penultimate layer.
    static let looks = 9 + 2 * ImageStyle.allCases.count

    /// Whether there are classes enough to tell what patterns and styles do by nature. With fewer, a suspicion is all that they
    /// can raise.
    var canCompare: Bool { classes > 3 }

    /// Level of one search's test of all classes together.
    var certainOfAll: Double { parameters.errorBudget / Double(Self.looks) }
    /// Level of one search's test of one class, for a backdoor.
    var certain: Double { certainOfAll / Double(classes) }
    var unusualOfAll: Double { parameters.suspicionBudget / Double(Self.looks) }
    /// The same for a suspicion.
    var unusual: Double { unusualOfAll / Double(classes) }
    /// Level of a test that only goes on to another one, or that confirms one.
    var notable: Double { parameters.suspicionBudget }

    /// Level below which a cluster's trigger is tried: of many classes so many are by chance as are tried at most.
    var worthTesting: Double { min(0.2, Double(Self.mostTested) / Double(classes)) }

    /// Classes, of very many, whose groups are tested for what they do.
    static let mostTested = 48

    var smallestGroup: Int { Int(parameters.smallestGroup) }
    func smallestGroup(of samples: Int) -> Int { parameters.smallestGroup(of: samples) }
}

extension Parameters {
    /// A fifth of the samples where these are few, and at least three.
    func smallestGroup(of samples: Int) -> Int { min(Int(smallestGroup), max(3, samples / 5)) }
}
