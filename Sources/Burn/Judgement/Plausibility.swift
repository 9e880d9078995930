import Findings

/// Whether something can be said of a class that samples were set aside of: what is left of a class whose own images were taken for planted
/// looks like another backdoor.
extension ClassFinding {
    /// Drops what names a part of the class that hardly anything is left beside to compare with, or with which more than `mostPlanted` of the
    /// class would be flagged.
    ///
    /// - Parameter labelled: without what was set aside.
    mutating func dropIfImplausible(in images: LabelledImages, _ labelled: LabelledSamples) {
        guard judgement != .clean, !isPlausible(in: images, labelled) else { return }
        retract()
    }

    private func isPlausible(in images: LabelledImages, _ labelled: LabelledSamples) -> Bool {
        guard !isClosed else { return false }
        guard setAsideBefore > 0 else { return true }
        let left = Double(labelled.count(of: label))
        let named = named(in: images) * left
        return left - named >= parameters.smallestGroup
            && Double(setAsideBefore) + named <= parameters.mostPlanted * (Double(setAsideBefore) + left)
    }

    /// The share of the samples with its label that the judgement says were planted, of those that it is known of.
    private func named(in images: LabelledImages) -> Double {
        func share(_ named: some Collection<Int>, of known: some Collection<Int>) -> Double {
            func own(_ samples: some Collection<Int>) -> Double {
                Double(samples.count { images.labels[$0] == label })
            }
            return own(named) / max(1, own(known))
        }
        return switch conclusion?.ground {
        case .style: style.map { share($0.planted, of: $0.posteriors.keys) } ?? 0
        case .features:
            features?.unlearning.map { share($0.leaving, of: $0.tested) } ?? 0
        case .pattern, .common, .shared:
            self.images.map { share($0.members, of: $0.posteriors.indices) } ?? 0
        case .perturbations: coherence.map { share($0.cluster, of: $0.members) } ?? 0
        case .distance, nil: 0
        }
    }
}
