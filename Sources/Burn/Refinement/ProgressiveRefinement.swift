import Execution
import Tensors

/// Phase 2 of the method, one round at a time: the original and the sanitised model are compared on every
/// sample, the partition of the data is refined where they disagree, and the model is tuned on it.
struct ProgressiveRefinement {
    let images: LabelledImages
    let targets: [Backdoor]
    /// What the suspicious model says.
    let before: ModelAnswers
    let reviews: Reviews
    let token: CancellationToken
    private let owners: TargetOfSample
    /// Largest drop so far of the given label's probability, per sample: evidence accumulates over rounds.
    private(set) var drops: [Float]

    /// A drop that fewer than this share of the samples of unsuspicious classes show is evidence.
    private static let nullQuantile = 0.999
    private static let mostOfNull = 4_096
    /// And it has to be one that most flagged samples show.
    private static let flaggedQuantile = 0.1
    /// Below this quantile of the unsuspicious classes' drops a sample behaves as clean ones do.
    private static let cleanQuantile = 0.9
    /// Of what is cleared, so many may have been planted, and of what was planted, so many may stay.
    private static let mostMistaken = 0.1

    init(
        images: LabelledImages, targets: [Backdoor], before: ModelAnswers,
        reviews: Reviews = .none, token: CancellationToken
    ) throws {
        self.images = images
        self.targets = targets
        self.before = before
        self.reviews = reviews
        self.token = token
        owners = TargetOfSample(targets)
        drops = Array(repeating: 0, count: images.count)
    }

    struct Disagreement {
        /// Jensen-Shannon divergence of the two models' answers, mean over the samples that were asked about, in nats.
        var meanDivergence: Double
        var newlyFlagged: [Int]
        var newlyClean: [Int]
        /// Samples that are not flagged any more.
        var cleared: [Int]
    }

    /// Compares the two models, and moves samples into the poison and the clean set of `pool`.
    mutating func refine(_ pool: inout TrainingPool, with sanitised: ModelAnswers) throws -> Disagreement {
        let suspicious = Set(targets.map(\.label))
        let suspects = images.labels.indices.filter { suspicious.contains(images.labels[$0]) }
        let ordinary = unsuspicious(suspicious)
        let asked = suspects + ordinary
        let (agrees, divergence) = try compare(asked, with: sanitised)
        let dirty = Set(targets.filter(\.tellsByDrops).map(\.label))
        let poison = Set(pool.poison + pool.doubtful)
        let null = ordinary.map { Double(drops[$0]) }
        let planted = pool.poison.filter { owner(of: $0).map { targets[$0].tellsByDrops } ?? false }
            .map { Double(drops[$0]) }
        let cut = max(
            Statistics.quantile(null, Self.nullQuantile), Statistics.quantile(planted, Self.flaggedQuantile))
        let calm = Statistics.quantile(null, Self.cleanQuantile)
        let dropped =
            planted.isEmpty
            ? []
            : suspects.filter {
                dirty.contains(images.labels[$0]) && !poison.contains($0) && Double(drops[$0]) > cut
                    && !reviews.isRejected($0)
            }
        let newlyFlagged = carriers(among: dropped, beside: poison, ordinary: ordinary, cut: cut)
        let cleared = cleared(among: pool) { agrees.contains($0) && Double(drops[$0]) <= cut }
        let stillFlagged = poison.subtracting(cleared)
        let used = Set(pool.clean).union(pool.holdout).union(pool.cleared)
        let newlyClean = suspects.filter {
            !used.contains($0) && !poison.contains($0) && agrees.contains($0)
                && Double(drops[$0]) <= calm
        }
        pool.poison = (stillFlagged + newlyFlagged).sorted()
        (pool.doubtful, pool.controls) = ([], [])
        pool.cleared = Set(pool.cleared + cleared).subtracting(newlyFlagged).sorted()
        let moved = Set(dropped)
        pool.clean = (pool.clean.filter { !moved.contains($0) } + newlyClean).sorted()
        return Disagreement(
            meanDivergence: divergence, newlyFlagged: newlyFlagged, newlyClean: newlyClean, cleared: cleared)
    }

    /// Of the doubtful samples, those that the sanitised model sees as they are labelled (`stays`), provided that hardly any of them were
    /// planted: those that don't stay are taken for planted, of which others stay as often as the backdoor's controls do.
    private func cleared(among pool: TrainingPool, stays: (Int) -> Bool) -> [Int] {
        let controls = Dictionary(grouping: pool.controls, by: owner)
        return Dictionary(grouping: pool.doubtful, by: owner).flatMap { place, doubtful -> [Int] in
            let controls = controls[place, default: []]
            let staying = doubtful.filter(stays)
            let share = Statistics.cautiousShare(controls.count(where: stays), of: controls.count)
            let planted = Double(doubtful.count - staying.count) * share / (1 - share)
            // A model that keeps the controls says nothing.
            let isTold = share <= Self.mostMistaken && planted <= Self.mostMistaken * Double(staying.count)
            return isTold ? staying : []
        }.sorted()
    }

    /// The place of the backdoor that a sample was planted for.
    private func owner(of sample: Int) -> Int? {
        owners.place(of: sample, labelled: images.labels[sample])
    }

    /// Raises the drops of the samples.
    /// - Returns: those whose given label the sanitised model sees, and the mean divergence.
    private mutating func compare(
        _ samples: [Int], with sanitised: ModelAnswers
    ) throws -> (agrees: Set<Int>, divergence: Double) {
        var (agrees, divergence) = (Set<Int>(), 0.0)
        for part in images.parts(of: samples) {
            let after = try sanitised.probabilities(part)
            let (known, given) = try (before.probabilities(part), images.labels(part))
            let change: [Float] = try (known.pick(given) - after.pick(given)).array()
            let agreeing: [Bool] = try (after.argmax(1) .== given).array()
            agrees.formUnion(zip(part, agreeing).filter(\.1).map(\.0))
            divergence += try Double(Tensor.jensenShannon(known, after).sum().item(as: Float.self))
            for (sample, change) in zip(part, change) { drops[sample] = max(drops[sample], change) }
        }
        return (agrees, divergence / Double(max(1, samples.count)))
    }

    /// Samples of the other classes, evenly chosen: enough to tell how far one in a thousand drops.
    private func unsuspicious(_ suspicious: Set<Int>) -> [Int] {
        let others = images.labels.indices.filter { !suspicious.contains(images.labels[$0]) }
        let step = max(1, (others.count + Self.mostOfNull - 1) / Self.mostOfNull)
        return stride(from: 0, to: others.count, by: step).map { others[$0] }
    }

    /// Of `dropped`, samples whose given label the sanitised model lets go: those that were planted.
    ///
    /// A class that has lost its poison lets some of its own, ambiguous samples go as well. The detection and the drop look
    /// at a sample independently: a drop multiplies the odds of carrying the trigger by how much more often it happens
    /// among the class's flagged samples than among its others. What is only doubted is not trained on.
    private func carriers(
        among dropped: [Int], beside poison: Set<Int>, ordinary: [Int], cut: Double
    ) -> [Int] {
        let groups = Dictionary(grouping: dropped) { images.labels[$0] }
        return groups.keys.sorted().flatMap { label -> [Int] in
            let own = images.labels.indices.filter { images.labels[$0] == label }
            let flagged = own.filter(poison.contains)
            let targets = targets.filter { $0.label == label }
            // What was not flagged for its distance is still full of poison: other classes say how often a drop means nothing.
            let others =
                targets.contains(where: \.isFoundByDistance)
                ? ordinary : own.filter { !poison.contains($0) }
            func share(_ samples: [Int]) -> Double {
                Statistics.cautiousShare(samples.count { Double(drops[$0]) > cut }, of: samples.count)
            }
            let weight = max(1, share(flagged) / share(others))
            return groups[label, default: []].filter { sample in
                let belief = targets.map { $0.carriers[sample, default: 0] }.max() ?? 0
                return belief * weight > 1 - belief
            }
        }
    }
}
