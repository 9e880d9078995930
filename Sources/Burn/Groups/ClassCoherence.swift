import Findings
import Support
import Tensors

/// What the perturbations of one predicted class have in common.
///
/// Poisoned samples of one trigger are pulled over the boundary in one direction, clean ones each in its own.
struct ClassCoherence: Sendable {
    /// Samples predicted as this class.
    var members: [Int]
    /// Of the strongest bundle among all members.
    var strength: BundleStrength
    /// The same for the members outside the cluster: what the class shows without it. Nil where these are too few.
    var remainderStrength: BundleStrength?
    /// Cosine of each member's perturbation to the cluster's direction, in the order of `members`.
    var cosines: [Double]
    var mixture: TwoComponentMixture
    /// Members of the upper mode.
    var cluster: [Int]
    /// The cluster is what is beside the strongest bundle: `strength` and `remainderStrength` are of the two the other way round,
    /// and `cosines` point away from the bundle.
    private(set) var isTurned = false
    /// Members beside the cluster.
    var remainder: [Int] {
        let inside = Set(cluster)
        return members.filter { !inside.contains($0) }
    }
    /// The same two groups with the other one as the cluster: the class's own images may be more alike than poison is.
    var turned: ClassCoherence {
        var turned = self
        turned.cluster = remainder
        turned.cosines = cosines.map { -$0 }
        turned.mixture = mixture.mirrored
        turned.isTurned.toggle()
        return turned
    }
    var share: Double { strength.share }
    var tightness: Double { strength.tightness }
    var gain: Double { strength.gain }

    /// The cluster is a part of the class, large enough, and cleanly apart from the rest.
    func isDistinct(_ parameters: Parameters) -> Bool {
        cluster.count >= parameters.smallestGroup(of: members.count)
            && mixture.separation > parameters.modeSeparation && cluster.count < members.count
    }

    /// Fewer members than this have no distribution to speak of.
    static let fewestMembers = 20
    /// Fewer have no bundle: three of them, and as many beside it.
    static let fewestForBundle = 6
    /// The direction is found on at most this many members; all are then compared with it.
    private static let mostForDirection = 3072

    init(members: [Int], cosines: [Double], mixture: TwoComponentMixture, cluster: [Int]) {
        (self.members, self.cosines, self.mixture, self.cluster) = (members, cosines, mixture, cluster)
        strength = BundleStrength(size: members.count, tightness: 0, share: 0, gain: 0)
    }

    init(members: [Int], store: PerturbationStore, parameters: Parameters, seed: UInt64) throws {
        let generator = try Generator(seed: seed)
        var random = SplitMix64(seed: seed)
        let chosen =
            members.count <= Self.mostForDirection
            ? members : Array(members.shuffled(using: &random).prefix(Self.mostForDirection)).sorted()
        let rows = try store.rows(chosen)
        let found = try CoherentCluster.strongest(in: rows, parameters, generator: generator)
        let inside = Set(found.rows)
        let outside = chosen.indices.filter { !inside.contains($0) }
        self.members = members
        mixture = found.mixture
        strength = try found.strength(in: rows, generator: generator)
        if outside.count >= Self.fewestMembers {
            let rest = try rows.rows(outside)
            let share = try rest.topDirection(generator: generator).eigenvalue / Double(outside.count)
            let left = try CoherentCluster.strongest(in: rest, parameters, generator: generator)
            remainderStrength = BundleStrength(
                size: outside.count, tightness: left.tightness, share: share, gain: left.gain)
        }
        (cosines, cluster) = try Self.compare(members, with: found, store)
    }

    private static func compare(
        _ members: [Int], with found: CoherentCluster, _ store: PerturbationStore
    ) throws -> (cosines: [Double], cluster: [Int]) {
        var cosines: [Double] = []
        for start in stride(from: 0, to: members.count, by: mostForDirection) {
            let part = Array(members[start..<min(start + mostForDirection, members.count)])
            cosines += try store.rows(part).matmul(found.direction).array(as: Float.self).map(Double.init)
        }
        return (cosines, zip(members, cosines).filter { found.mixture.posterior($0.1) > 0.5 }.map(\.0))
    }

    /// The same two groups by the finished perturbations, where these are cleanly apart: what a class shows by nature may have
    /// tails among first gradients.
    ///
    /// - Parameter store: holds the perturbations of all members.
    func sharpened(
        by store: PerturbationStore, parameters: Parameters, seed: UInt64
    ) throws -> ClassCoherence {
        var random = SplitMix64(seed: seed)
        let inCluster = Set(cluster)
        let chosen = Array(members.shuffled(using: &random).prefix(Self.mostForDirection)).sorted()
        let rows = try store.rows(chosen)
        // Either group may be the one that holds together now.
        let sides = [true, false].map { side in
            chosen.indices.filter { inCluster.contains(chosen[$0]) == side }
        }
        let found =
            try sides.filter { $0.count > 2 }.map { try CoherentCluster(in: rows, start: $0) }
            + [CoherentCluster.strongest(in: rows, parameters, generator: Generator(seed: seed))]
        let parted = try found.filter { $0.isDistinct(parameters) }.map { bundle in
            var parted = self
            parted.isTurned = false
            parted.mixture = bundle.mixture
            (parted.cosines, parted.cluster) = try Self.compare(members, with: bundle, store)
            return (coherence: parted, gain: bundle.gain, agreement: agreement(with: parted.cluster))
        }
        guard
            let best = parted.filter({ abs($0.agreement) >= Self.leastAgreement }).max(by: {
                $0.gain < $1.gain
            })
        else { return self }
        return best.agreement > 0 ? best.coherence : best.coherence.turned
    }

    /// Below this two partitions are not the same two groups: another bundle of the class is not what was found.
    private static let leastAgreement = 0.5

    /// The correlation of two partitions of the members (Matthews, 1975): -1 where the cluster is what is beside `other`.
    func agreement(with other: [Int]) -> Double {
        let (own, other) = (Set(cluster), Set(other))
        let both = Double(own.intersection(other).count)
        let (inOwn, inOther, all) = (Double(own.count), Double(other.count), Double(members.count))
        let spread = inOwn * (all - inOwn) * inOther * (all - inOther)
        return spread > 0 ? (both * all - inOwn * inOther) / spread.squareRoot() : 0
    }
}
