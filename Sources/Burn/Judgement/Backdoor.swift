import Support
import Tensors

/// A backdoor that was found behind a class, as a purification has to know it. A class may have several, each with its trigger.
package struct Backdoor: Codable, Sendable {
    package var label: Int
    /// Of the planted samples' given labels.
    package var labels = LabelReading.wrong
    /// Its trigger moves images of some classes and leaves the others where they are.
    package var isSourceSpecific = false
    /// Its samples are known by their distances alone (`PublishedDetection`).
    package var isFoundByDistance = false
    /// Nil where it is known by its samples alone.
    package var trigger: KnownTrigger?
    /// Probabilities of carrying the trigger, by sample, as far as the detection tells.
    package var carriers: [Int: Double] = [:]
    /// Samples that were flagged for it.
    package var planted: [Int] = []

    package init(label: Int) { self.label = label }

    var isCleanLabel: Bool { labels == .right }
    /// Given labels that may be true are kept: a corrected label that is wrong is worse than none.
    var keepsLabels: Bool { labels != .wrong }

    /// Whether a sanitised model lets go the given labels of what was planted, and of hardly anything else: where no trigger is known, what
    /// it lets go is mostly the class's own ambiguous samples. The published method goes by that nevertheless.
    var tellsByDrops: Bool { !keepsLabels && (isEstimated || isFoundByDistance) }

    /// What it does to an image was estimated, value by value.
    var isEstimated: Bool { if case .pixels? = trigger { true } else { false } }
}

/// What is known of a trigger.
package enum KnownTrigger: Codable, Sendable {
    /// - Parameters:
    ///   - form: the one that it is known by.
    ///   - perturbed: samples whose own perturbations vary it.
    case pixels(TriggerEstimate, form: TriggerForm, perturbed: [Int])
    /// How the donors are pictured (`ImageStyle.transplant`).
    case style(ImageStyle, donors: [Int], controls: [Int], strangers: [Int])
}

extension Backdoor {
    /// Nil for a class that nothing is to be removed from.
    init?(_ finding: ClassFinding) {
        guard finding.isTarget else { return nil }
        label = finding.label
        labels = finding.labelReading
        isSourceSpecific = finding.isSourceSpecific
        isFoundByDistance = finding.isFoundByDistance
        carriers = finding.carriers
        planted = finding.planted
        if finding.isFoundByStyle, let style = finding.style {
            let transplant = style.transplant
            trigger = .style(
                style.style, donors: transplant.donors, controls: transplant.controls,
                strangers: transplant.strangers)
        } else if let estimate = finding.trigger {
            trigger = .pixels(
                estimate, form: finding.effect?.form ?? AddedPattern.at(1),
                perturbed: finding.coherence.map { Array($0.cluster.prefix(Self.mostPerturbed)) } ?? [])
        }
    }

    private static let mostPerturbed = 512
}
