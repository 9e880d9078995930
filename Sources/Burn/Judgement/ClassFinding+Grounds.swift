/// What a finding says, whatever its judgement rests on.
extension ClassFinding {
    /// The judgement rests on the perturbations' cluster.
    var isFoundByPerturbations: Bool {
        if case .perturbations? = conclusion?.ground { true } else { false }
    }

    /// The judgement rests on features: no trigger is known.
    var isFoundByFeatures: Bool { if case .features? = conclusion?.ground { true } else { false } }

    /// The judgement rests on distances from the boundary, as the published method's does: it knows of no trigger.
    var isFoundByDistance: Bool { if case .distance? = conclusion?.ground { true } else { false } }

    /// The judgement rests on the images' style: no pattern is known, but carriers of it are.
    var isFoundByStyle: Bool { if case .style? = conclusion?.ground { true } else { false } }

    /// The judgement rests on a pattern in the images, not on the perturbations' cluster.
    var isFoundByImages: Bool {
        switch conclusion?.ground {
        case .pattern, .common, .shared: true
        default: false
        }
    }

    /// How far beyond chance what was found sends other classes' images here.
    var excess: Double { isFoundByStyle ? style?.excess ?? 0 : effect?.excess ?? 0 }

    /// Shares of other classes' images, or of one class's where only these are moved, that what was found sends here, and
    /// that its null does: a random direction, or the style of other images.
    var reported: (rate: Double, random: Double)? {
        if isFoundByStyle { return style.map { ($0.insertion.rate, $0.insertion.control) } }
        return effect.map {
            $0.sourceSpecific ? ($0.topSourceRate, $0.topSourceRandom) : ($0.rate, $0.random)
        }
    }

    /// Shares of the class's others and of the carriers that stay there without what was found.
    var held: ControlledEffect? { isFoundByStyle ? style?.removal : removal }

    /// How well a part of the class was unlearned, and the p-value of that against other classes.
    var unlearned: (score: Double, pValue: Double)? {
        if isFoundByStyle { return style?.unlearned }
        return features?.unlearned
    }

    /// Probabilities of carrying the trigger, by sample, as far as the perturbations and the images tell, or the distances.
    var carriers: [Int: Double] {
        if case .distance(_, let carriers)? = conclusion?.ground { return carriers }
        var carriers: [Int: Double] = [:]
        for (sample, posterior) in (images?.posteriors ?? []).enumerated() where posterior > 0 {
            carriers[sample] = Double(posterior)
        }
        guard let coherence, !isFoundByImages else { return carriers }
        for (sample, posterior) in zip(coherence.members, coherence.posteriors) {
            carriers[sample] = max(carriers[sample, default: 0], posterior)
        }
        return carriers
    }

    /// The trigger moves images of some classes and leaves the others where they are.
    var isSourceSpecific: Bool { effect?.sourceSpecific ?? false }

    var labelReading: LabelReading { isCleanLabel ? .right : labels?.reading(parameters) ?? .wrong }

    /// Something is to be removed: its trigger is known, or its samples are.
    var isTarget: Bool { judgement != .clean && (trigger != nil || isWithoutTrigger) }

    /// Something to be removed, of which there is no estimate.
    var isWithoutTrigger: Bool { isFoundByFeatures || isFoundByStyle || isFoundByDistance }

    /// Of the evidence that the judgement rests on.
    var decisivePValue: Double {
        switch conclusion?.ground {
        case .perturbations: min(perturbationPValue, causePValue)
        case .pattern(let evidence): evidence.pValue
        case .common(let evidence): evidence.pValue
        case .shared: parameters.naturalCause
        case .style: style?.pValue ?? 1
        case .features: features?.pValue ?? 1
        case .distance(let found, _): found.pValue
        case nil: 1
        }
    }

    /// The smallest p-value of what works on other classes' images at all.
    var strongestPValue: Double {
        let byDirection = (effect?.excess ?? 0) >= parameters.weakEffect ? coherencePValue : 1
        let byStyle = style.map { $0.excess >= $0.style.leastEffect(parameters) ? $0.pValue : 1 } ?? 1
        return min(byDirection, byStyle, features?.pValue ?? 1)
    }
}
