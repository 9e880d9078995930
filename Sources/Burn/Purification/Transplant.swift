import Evaluation
import SeededRandom
import Tensors

/// Puts estimated triggers into trusted images while their labels stay: what breaks the false correlation
/// between trigger and target class. Needs no restored label, so it serves clean-label attacks too.
struct Transplant {
    let triggers: [TriggerEstimate]
    /// Single perturbations of poisoned samples, by trigger: (m, C, H, W), of the norm of the mean.
    let perturbations: [Tensor]
    /// By trigger: the class whose images never carry it. Dirty-label poison comes from other classes than
    /// its target, so a triggered image is not the target's; clean-label poison is.
    let excluded: [Int?]

    /// Strengths are drawn from these ranges, in units of the estimate as it was found: below the one at which
    /// it works up to beyond it.
    private static let momentStrengths = 0.2..<2.2
    private static let boundaryStrengths = 0.6..<3.0
    /// How often the moment estimate is used, and of the boundary form the mean against a single one.
    private static let momentShare = 0.6

    /// No trigger is known.
    static let none = Transplant(triggers: [], perturbations: [], excluded: [])

    private init(triggers: [TriggerEstimate], perturbations: [Tensor], excluded: [Int?]) {
        self.triggers = triggers
        self.perturbations = perturbations
        self.excluded = excluded
    }

    init(targets: [ClassFinding], table: AnalysisTable, store: PerturbationStore) throws {
        triggers = targets.compactMap(\.trigger)
        excluded = targets.filter { $0.trigger != nil }.map { $0.isCleanLabel ? nil : $0.label }
        perturbations = try targets.compactMap { finding in
            guard let trigger = finding.trigger, let coherence = finding.coherence else { return nil }
            let shape = trigger.boundary.shape
            guard store.isExact else { return try trigger.boundary.unsqueeze(0) }
            let rows = try store.rows(Array(coherence.cluster.prefix(512)))
            return try (-rows * trigger.boundaryNorm).reshape([-1] + shape)
        }
    }

    /// Images with a trigger each, drawn at random; `labels` are the images' own.
    func apply(to images: Tensor, labels: [Int], using random: inout SplitMix64) throws -> Tensor {
        let parts = try labels.enumerated().map { row, label in
            let image = try images.narrow(0, row, 1)
            let choice = Int.random(in: triggers.indices, using: &random)
            return excluded[choice] == label ? image : try stamp(image, choice, using: &random)
        }
        return try Tensor.cat(parts).channelsLast()
    }

    private func stamp(_ image: Tensor, _ choice: Int, using random: inout SplitMix64) throws -> Tensor {
        let trigger = triggers[choice]
        if trigger.momentNorm > 0, Double.random(in: 0..<1, using: &random) < Self.momentShare {
            let strength = try Tensor([Float(Double.random(in: Self.momentStrengths, using: &random))])
            return try trigger.stampingMoments(image, strengths: strength)
        }
        let strength = try Tensor([Float(Double.random(in: Self.boundaryStrengths, using: &random))])
        let singles = perturbations[choice]
        let pattern =
            Bool.random(using: &random)
            ? trigger.boundary
            : try singles.select(0, Int.random(in: 0..<singles.shape[0], using: &random))
        return try trigger.adding(pattern, to: image, strengths: strength)
    }
}
