import Findings
import Support
import Tensors

/// What the perturbations of a class show in this job where nothing is hidden.
///
/// Large classes are compared with all classes, each once its own cluster is taken out, where that leaves enough of them. Small
/// ones are compared with groups of their own size, or of the largest size that there are enough of, drawn
/// from the other classes: how far a bundle stands apart by chance depends on the size.
struct CoherenceNull {
    private struct Group {
        var label: Int
        var strength: BundleStrength
    }

    /// Classes of fewer members are compared with groups of their size.
    static let fewestOfLarge = 64
    private static let sizes = [64, 48, 32, 24, 20, 16, 13, 10, 8, ClassCoherence.fewestForBundle]
    private static let fewestGroups = 4
    private static let fewestRemainders = 4
    private static let mostGroups = 24

    private let remainders: [BundleStrength]
    /// By size.
    private let groups: [Int: [Group]]
    private let members: [Int: [Int]]
    /// The classes are small.
    let isSmall: Bool
    /// There are classes enough to compare large ones with.
    private let hasRemainders: Bool

    /// - Parameter members: samples by the class that they are predicted as, of which there are at least as many as a bundle
    ///   needs.
    init(
        members: [Int: [Int]], coherences: [ClassCoherence], store: PerturbationStore, parameters: Parameters,
        seed: UInt64, token: CancellationToken
    ) throws {
        self.members = members
        remainders = coherences.compactMap(\.remainderStrength)
        let typical = Statistics.median(members.values.map { Double($0.count) })
        let isSmall = typical < Double(Self.fewestOfLarge)
        self.isSmall = isSmall
        let hasRemainders = !isSmall || remainders.count >= Self.fewestRemainders
        self.hasRemainders = hasRemainders
        var groups: [Int: [Group]] = [:]
        let wanted = Set(
            members.filter { !hasRemainders || $0.value.count < Self.fewestOfLarge }
                .compactMap { Self.groupSize(for: $0.key, members) })
        for size in wanted.sorted() {
            try token.check()
            groups[size] = try Self.groups(
                of: size, members, store: store, parameters, seed: seed &+ UInt64(size))
        }
        self.groups = groups
    }

    /// Of the top direction, in the middle: 0 where there is nothing to compare with.
    var share: Double {
        Statistics.median((isSmall ? groups.values.flatMap { $0.map(\.strength) } : remainders).map(\.share))
    }

    /// Nil where there is nothing to compare the class with.
    func pValue(of strength: BundleStrength, label: Int) -> Double? {
        if hasRemainders, strength.size >= Self.fewestOfLarge {
            return strength.pValue(against: remainders)
        }
        guard let size = Self.groupSize(for: label, members) else { return nil }
        let others = (groups[size] ?? []).filter { $0.label != label }.map(\.strength)
        return strength.scaled(to: size).pValue(against: others)
    }

    /// The largest size, up to the class's, that the other classes have enough groups of.
    private static func groupSize(for label: Int, _ members: [Int: [Int]]) -> Int? {
        let own = members[label]?.count ?? 0
        return sizes.first { size in
            size <= own
                && members.reduce(0) { sum, other in
                    sum + (other.key == label ? 0 : groups(of: size, in: other.value.count, members.count))
                } >= fewestGroups
        }
    }

    /// Groups of a size that one of so many classes gives: apart from each other, and no more than its part of all.
    private static func groups(of size: Int, in count: Int, _ classes: Int) -> Int {
        min(count / size, max(1, mostGroups / max(1, classes - 1)))
    }

    private static func groups(
        of size: Int, _ members: [Int: [Int]], store: PerturbationStore, _ parameters: Parameters,
        seed: UInt64
    ) throws -> [Group] {
        var random = SplitMix64(seed: seed)
        var groups: [Group] = []
        // One group more than needed, since a class is not compared with itself.
        for (label, samples) in members.sorted(by: { $0.key < $1.key }).shuffled(using: &random)
        where groups.count <= mostGroups {
            let drawn = samples.shuffled(using: &random)
            for part in 0..<self.groups(of: size, in: samples.count, members.count) {
                let rows = try store.rows(Array(drawn[part * size..<(part + 1) * size]))
                let generator = try Generator(seed: seed &+ UInt64(groups.count))
                let found = try CoherentCluster.strongest(in: rows, parameters, generator: generator)
                groups.append(
                    Group(label: label, strength: found.strength))
            }
        }
        return groups
    }
}
