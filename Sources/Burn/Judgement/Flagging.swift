extension Detection.Outcome {
    /// Flags and scores the samples of a class by what the judgement of it rests on.
    mutating func flag(_ finding: ClassFinding, in images: LabelledImages) {
        switch finding.conclusion?.ground {
        case .style: flagByStyle(finding)
        case .features: flagByFeatures(finding)
        // By `PublishedDetection`, which knows the distances.
        case .distance: break
        case .pattern, .common, .shared: flagByImages(finding, images, enough: 0.5)
        case .perturbations, nil:
            flagByPerturbations(finding, images)
            // The perturbations have named most samples: only what is almost certain counts beside them.
            flagByImages(finding, images, enough: 0.9)
        }
    }

    private mutating func flagByPerturbations(_ finding: ClassFinding, _ images: LabelledImages) {
        guard let found = finding.coherence else { return }
        for (place, member) in found.members.enumerated() {
            coherence[member] = found.isTurned ? -found.cosines[place] : found.cosines[place]
            // What was flagged before keeps its score.
            guard finding.effect != nil, !flagged[member] else { continue }
            let posterior = found.posteriors[place]
            // Planted samples carry the target as their given label.
            let planted = images.labels[member] == finding.label
            switch finding.judgement {
            case .clean: raise(member, to: 0.1 * posterior)
            case .suspicious, .backdoored:
                raise(member, to: planted ? posterior : 0.5 * posterior)
                flagged[member] = planted && posterior > 0.5
            }
        }
    }

    /// What carries the pattern and the target's label, whatever the model makes of it.
    private mutating func flagByImages(
        _ finding: ClassFinding, _ images: LabelledImages, enough: Float
    ) {
        guard finding.judgement != .clean, let bundle = finding.images else { return }
        for sample in bundle.members
        where images.labels[sample] == finding.label && bundle.posteriors[sample] > enough {
            flag(sample, score: Double(bundle.posteriors[sample]))
        }
    }

    private mutating func flagByStyle(_ finding: ClassFinding) {
        guard let style = finding.style else { return }
        for (sample, posterior) in style.posteriors where !flagged[sample] {
            raise(sample, to: 0.5 * posterior)
        }
        for sample in style.planted { flag(sample, score: style.posteriors[sample, default: 0]) }
    }

    /// What leaves the class when a model that was not trained on it has unlearned the others, is flagged.
    private mutating func flagByFeatures(_ finding: ClassFinding) {
        guard let features = finding.features, let unlearning = features.unlearning else { return }
        let found = features.coherence
        for (place, member) in found.members.enumerated() {
            coherence[member] = found.cosines[place]
            let leaves = unlearning.leaving.contains(member)
            guard !flagged[member] else { continue }
            raise(member, to: 0.5 * found.posteriors[place] + (leaves ? 0.5 : 0))
            flagged[member] = leaves
        }
    }
}
