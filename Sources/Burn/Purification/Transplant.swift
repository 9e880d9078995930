import Support
import Tensors

/// Puts estimated triggers into trusted images while their labels stay: what breaks the false correlation
/// between trigger and target class. Needs no restored label, so it serves clean-label attacks too.
package struct Transplant {
    /// Where a trigger is taken from.
    enum Source {
        /// An estimate whose moments work as a trigger by themselves.
        case moments(TriggerEstimate)
        /// An estimate, with single perturbations of poisoned samples: (m, C, H, W), of the norm of its mean.
        case estimate(TriggerEstimate, perturbations: Tensor)
        /// The style of flagged samples.
        case style(any StyleTransplant)
    }

    private struct Trigger {
        var source: Source
        /// The class whose images never carry it. Dirty-label poison comes from other classes than its target, so a
        /// triggered image is not the target's; clean-label poison is.
        var excluded: Int?
    }

    private let triggers: [Trigger]
    var isEmpty: Bool { triggers.isEmpty }

    /// Strengths are drawn from these ranges, in units of the estimate as it was found: below the one at which
    /// it works up to beyond it.
    private static let momentStrengths = 0.2..<2.2
    private static let boundaryStrengths = 0.6..<3.0
    /// How often the moment estimate is used, and of the boundary form the mean against a single one.
    private static let momentShare = 0.6
    private static let mostPerturbations = 512
    /// How often an image gets a style: it disturbs what the image shows, where an estimated trigger does not.
    private static let styleShare = 0.5

    /// No trigger is known.
    static let none = Transplant(triggers: [])

    private init(triggers: [Trigger]) { self.triggers = triggers }

    init(targets: [ClassFinding], table: AnalysisTable, store: PerturbationStore) throws {
        triggers = try targets.compactMap { finding in
            try Self.source(finding, store).map {
                Trigger(source: $0, excluded: finding.isCleanLabel ? nil : finding.label)
            }
        }
    }

    private static func source(_ finding: ClassFinding, _ store: PerturbationStore) throws -> Source? {
        if let style = finding.styleTransplant { return .style(style) }
        guard let trigger = finding.trigger else { return nil }
        // The class's own features, of which perturbations hold some, would be unlearned along with the trigger.
        if finding.effect?.form.isMoments == true { return .moments(trigger) }
        // A class that its images alone gave away may have no group among the perturbations.
        guard store.isExact, let coherence = finding.coherence else {
            return .estimate(trigger, perturbations: try trigger.boundary.unsqueeze(0))
        }
        let rows = try store.rows(Array(coherence.cluster.prefix(mostPerturbations)))
        return .estimate(
            trigger,
            perturbations: try (-rows * trigger.boundaryNorm).reshape([-1] + trigger.boundary.shape))
    }

    /// Images with a trigger each, drawn at random; `labels` are the images' own.
    func apply(to images: Tensor, labels: [Int], using random: inout SplitMix64) throws -> Tensor {
        let parts = try labels.enumerated().map { row, label in
            let image = try images.narrow(0, row, 1)
            let trigger = triggers[Int.random(in: triggers.indices, using: &random)]
            return trigger.excluded == label ? image : try Self.stamp(image, trigger.source, using: &random)
        }
        return try Tensor.cat(parts).channelsLast()
    }

    private static func stamp(
        _ image: Tensor, _ source: Source, using random: inout SplitMix64
    ) throws -> Tensor {
        switch source {
        case .style(let style):
            guard Double.random(in: 0..<1, using: &random) < styleShare else { return image }
            return try style.mix(into: image, using: &random)
        case .moments(let trigger):
            let strength = try Tensor([Float(Double.random(in: momentStrengths, using: &random))])
            return try trigger.stampingMoments(image, strengths: strength)
        case .estimate(let trigger, let perturbations):
            if trigger.momentNorm > 0, Double.random(in: 0..<1, using: &random) < momentShare {
                return try stamp(image, .moments(trigger), using: &random)
            }
            let strength = try Tensor([Float(Double.random(in: boundaryStrengths, using: &random))])
            let pattern =
                Bool.random(using: &random)
                ? trigger.boundary
                : try perturbations.select(0, Int.random(in: 0..<perturbations.shape[0], using: &random))
            return try trigger.adding(pattern, to: image, strengths: strength)
        }
    }
}
