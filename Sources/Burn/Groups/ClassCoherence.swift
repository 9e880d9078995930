import Findings
import Support
import Tensors

/// What the perturbations of one predicted class have in common.
///
/// Poisoned samples of one trigger are pulled over the boundary in one direction, clean ones each in its own.
struct ClassCoherence: Sendable {
    /// Samples predicted as this class, as far as they were surveyed.
    var members: [Int]
    /// Of the strongest bundle among all members.
    var strength: BundleStrength
    /// The same for the members outside the cluster: what the class shows without it. Nil where these are too few.
    var remainderStrength: BundleStrength?
    /// Cosine of each member's perturbation to the cluster's direction, in the order of `members`.
    var cosines: [Double]
    /// Each member's probability of belonging to the cluster, in the same order.
    private(set) var posteriors: [Double]
    var mixture: TwoComponentMixture
    /// What the cosines are to; nil where nothing was compared.
    private(set) var direction: Tensor?
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
    /// The cluster, and what is beside it: either may have been planted.
    var sides: [[Int]] { [cluster, remainder] }
    /// The same two groups with the other one as the cluster: the class's own images may be more alike than poison is.
    var turned: ClassCoherence {
        var turned = self
        turned.cluster = remainder
        turned.cosines = cosines.map { -$0 }
        turned.posteriors = posteriors.map { 1 - $0 }
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
        posteriors = cosines.map(mixture.posterior)
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
        strength = found.strength
        if outside.count >= Self.fewestMembers {
            remainderStrength = try CoherentCluster.strongest(
                in: rows.rows(outside), parameters, generator: generator
            ).strength
        }
        cosines = try Self.cosines(of: members, to: found.direction, store)
        posteriors = cosines.map(found.mixture.posterior)
        cluster = Self.upper(members, posteriors)
        direction = found.direction
    }

    /// Those of the members that belong to the cluster.
    private static func upper(_ members: [Int], _ posteriors: [Double]) -> [Int] {
        zip(members, posteriors).filter { $0.1 > 0.5 }.map(\.0)
    }

    /// The same two groups among more samples of the class.
    /// - Parameter members: those known so far, and others.
    func extended(to members: [Int], store: PerturbationStore) throws -> ClassCoherence {
        guard let direction, members.count > self.members.count else { return self }
        var extended = self
        extended.members = members
        extended.cosines = try Self.cosines(of: members, to: isTurned ? -direction : direction, store)
        extended.posteriors = extended.cosines.map(mixture.posterior)
        extended.cluster = Self.upper(members, extended.posteriors)
        return extended
    }

    private static func cosines(
        of members: [Int], to direction: Tensor, _ store: PerturbationStore
    ) throws -> [Double] {
        try stride(from: 0, to: members.count, by: mostForDirection).flatMap { start in
            let part = Array(members[start..<min(start + mostForDirection, members.count)])
            return try store.rows(part).matmul(direction).array(as: Float.self).map(Double.init)
        }
    }

    /// The same two groups among some of the members.
    func restricted(to samples: [Int]) -> ClassCoherence {
        let kept = Set(samples)
        var restricted = self
        let places = members.indices.filter { kept.contains(members[$0]) }
        restricted.members = places.map { members[$0] }
        restricted.cosines = places.map { cosines[$0] }
        restricted.posteriors = places.map { posteriors[$0] }
        restricted.cluster = cluster.filter(kept.contains)
        return restricted
    }

    /// The same two groups by the finished perturbations, where these are cleanly apart: what a class shows by nature may have
    /// tails among first gradients.
    ///
    /// - Parameters:
    ///   - store: holds the perturbations of `samples`.
    ///   - samples: of the members.
    /// - Returns: of these samples.
    func sharpened(
        by store: PerturbationStore, of samples: [Int], parameters: Parameters, seed: UInt64
    ) throws -> ClassCoherence {
        guard samples.count == members.count else {
            return try restricted(to: samples).sharpened(
                by: store, of: samples, parameters: parameters, seed: seed)
        }
        var random = SplitMix64(seed: seed)
        let inCluster = Set(cluster)
        let chosen = Array(members.shuffled(using: &random).prefix(Self.mostForDirection)).sorted()
        let rows = try store.rows(chosen)
        // Either group may be the one that holds together now.
        let sides = [true, false].map { side in
            chosen.indices.filter { inCluster.contains(chosen[$0]) == side }
        }
        let found =
            try sides.filter { $0.count > 2 }.map { try CoherentCluster(in: UnitRows(rows), start: $0) }
            + [CoherentCluster.strongest(in: rows, parameters, generator: Generator(seed: seed))]
        let parted = try found.filter { $0.isDistinct(parameters) }.map { bundle in
            var parted = self
            parted.isTurned = false
            parted.mixture = bundle.mixture
            parted.direction = bundle.direction
            parted.cosines = try Self.cosines(of: members, to: bundle.direction, store)
            parted.posteriors = parted.cosines.map(bundle.mixture.posterior)
            parted.cluster = Self.upper(members, parted.posteriors)
            return (coherence: parted, gain: bundle.gain, agreement: agreement(with: parted.cluster))
        }
        guard
            let best = parted.filter({ abs($0.agreement) >= Self.leastAgreement }).max(by: {
                $0.gain < $1.gain
            })
        else { return self }
        return best.agreement > 0 ? best.coherence : best.coherence.turned
    }

    /// Members that `other`, which is of a part of them, has in the other group.
    func members(movedBy other: ClassCoherence) -> [Int] {
        let (inside, sorted) = (Set(cluster), Set(other.cluster))
        return other.members.filter { inside.contains($0) != sorted.contains($0) }
    }

    /// Members that stand no further inside their group than some of `moved` in the same one.
    func members(noFurtherThan moved: [Int]) -> [Int] {
        let inside = Set(cluster)
        let place = Dictionary(uniqueKeysWithValues: zip(members, cosines))
        let furthestInside = moved.filter(inside.contains).compactMap { place[$0] }.max() ?? -.infinity
        let furthestOutside =
            moved.filter { !inside.contains($0) }.compactMap { place[$0] }.min() ?? .infinity
        return zip(members, cosines).filter { member, cosine in
            inside.contains(member) ? cosine <= furthestInside : cosine >= furthestOutside
        }.map(\.0)
    }

    /// The same two groups, with `samples` where `other` has them.
    func sorted(as other: ClassCoherence, _ samples: [Int]) -> ClassCoherence {
        let chosen = Set(samples)
        let known = Dictionary(uniqueKeysWithValues: zip(other.members, other.posteriors))
            .filter { chosen.contains($0.key) }
        var sorted = self
        sorted.posteriors = zip(members, posteriors).map { known[$0] ?? $1 }
        sorted.cluster = Self.upper(members, sorted.posteriors)
        return sorted
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
