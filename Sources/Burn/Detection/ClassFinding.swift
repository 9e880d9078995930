/// What the detection found for one predicted class.
struct ClassFinding: Sendable {
    enum Judgement: Hashable, Sendable {
        case clean
        /// One kind of evidence speaks for a backdoor, another does not.
        case suspicious
        case backdoored
    }

    var label: Int
    /// Nil for a class with too few samples.
    var coherence: ClassCoherence?
    /// P-value of the cluster's tightness against what the job's own classes show without their clusters.
    var coherencePValue = 1.0
    /// Estimated only for a class whose cluster stands apart.
    var trigger: TriggerEstimate?
    /// The form that works best.
    var effect: TriggerEffect?
    /// The cluster differs from its own class by less than from the others: its given labels are true.
    var isCleanLabel = false
    var judgement = Judgement.clean

    /// The share of other classes' images that a trigger has to move to count as one.
    ///
    /// Not a statistical cut but what "backdoor" means here: an input pattern that works on a fair part of all
    /// images. Clean models' estimated patterns stay near chance.
    static let workingEffect = 0.25
    static let weakEffect = 0.1
    /// Two modes are cleanly apart above this (Ashman et al., 1994).
    static let cleanSeparation = 2.0
    static let smallestCluster = 8
    /// Family-wise error over all classes.
    static let significance = 0.01
    /// A working pattern makes a class suspicious only with a cluster that is at least this unusual.
    static let weakSignificance = 0.05

    var hasDistinctCluster: Bool {
        guard let coherence else { return false }
        return coherence.cluster.count >= Self.smallestCluster
            && coherence.mixture.separation > Self.cleanSeparation
            && coherence.cluster.count < coherence.members.count
    }

    /// A cluster no tighter than what is left of the classes without theirs needs no causal test.
    var isWorthTesting: Bool { hasDistinctCluster && coherencePValue < 0.2 }

    mutating func judge(classes: Int) {
        guard hasDistinctCluster, let effect else { return }
        let coherent = coherencePValue < Self.significance / Double(classes)
        let working = effect.excess >= Self.workingEffect
        let weak = effect.excess >= Self.weakEffect
        let nearlyCoherent = coherencePValue < Self.weakSignificance
        judgement =
            working && coherent
            ? .backdoored : (working && nearlyCoherent) || (weak && coherent) ? .suspicious : .clean
    }
}
