import Findings
import Support

/// What the verdict does not say, and why.
extension EvidenceStatements {
    /// What was measured not to be found, or is known not to be.
    var notExcluded: String {
        let below =
            detectableRate.map {
                "poison below \(percent($0)) of the samples (so much was noticed in trials on this job, where "
                    + "\(percent(parameters.plantedCosine * parameters.plantedCosine)) of each planted perturbation went along with the trigger), "
            } ?? ""
        return
            "Not excluded: \(below)triggers that differ from sample to sample without a common direction in input space, and triggers that "
            + "only move or exchange what an image shows, as turning it upside down or exchanging its colours does."
    }

    /// More may be there where the last search that is allowed found something as well.
    var cutShort: String? {
        let found = findings.reduce(0) { $0 + ($1.judgement == .backdoored ? 1 + $1.further.count : 0) }
        return isWhole
            ? nil
            : "The search was ended after \(found) triggers, of which the last was found in the last round: there may be more."
    }

    /// How many samples were looked at, where that is not all of them.
    var partial: String? {
        let surveyed = table.surveyed
        guard surveyed < images.count else { return nil }
        return
            "The perturbations of \(surveyed) of the \(images.count) samples were looked at, drawn from every label, and of all that are "
            + "predicted as a class under suspicion by them. With analysis: full, those of all are."
    }

    /// How many classes' groups of images were not tested, where there are so many.
    var passedOver: String? {
        let passedOver = findings.count { $0.isPassedOver && $0.judgement == .clean }
        guard passedOver > 0 else { return nil }
        return
            "In \(passedOver) of the \(images.classes) classes a pattern, the noise or the tones of a group of images stand apart less "
            + "clearly than those of \(Judge.mostTested) other classes, and were not tested for what they do to the model."
    }

    /// What few classes leave open; nil where there are enough.
    var comparison: String? {
        guard let judge = findings.first?.judge, !judge.canCompare else { return nil }
        return
            "With \(images.classes) classes there is little to compare patterns, noise, tones and features with: what differs from "
            + "sample to sample may be missed that would be found among more classes."
    }

    /// Nil where all are the defaults.
    static func changed(_ parameters: Parameters) -> String? {
        let changed = parameters.changed.sorted { $0.key < $1.key }
        guard !changed.isEmpty else { return nil }
        return "Parameters that are not the defaults: "
            + changed.map { "\($0.key) = \($0.value)" }.joined(separator: ", ") + "."
    }

    /// Classes with too few samples, and what to do about it.
    var unjudged: String? {
        let unjudged = findings.filter(\.isUnjudged)
        guard !unjudged.isEmpty else { return nil }
        let sizes = Dictionary(grouping: table.predicted) { Int($0) }.mapValues(\.count)
        let judged = findings.filter { $0.noticed != nil && !$0.isUnjudged }.compactMap { sizes[$0.label] }
            .min()
        let enough =
            judged.map { "The smallest class that could be judged has \($0)." }
            ?? (unjudged.allSatisfy { (sizes[$0.label] ?? 0) < DetectionPower.usuallyEnough }
                ? "As a rule, \(DetectionPower.usuallyEnough) of each class are enough."
                : "As a rule \(DetectionPower.usuallyEnough) of each class are enough; here they are not.")
        let names = unjudged.map { "\(images.classNames[$0.label]) (\(sizes[$0.label] ?? 0))" }
        return
            "Not judged: \(names.listed). Of so few samples that the model predicts as a class, not even one half, if "
            + "it had been planted, would have been noticed. Give more samples of these classes. \(enough)"
    }

    /// Classes that the data set has no sample of.
    var absent: String? {
        let absent = findings.filter { !$0.isInData && $0.judgement == .clean }
            .map { images.classNames[$0.label] }
        guard !absent.isEmpty else { return nil }
        return
            "No sample has the label \(absent.listed): none of this data set can have been planted there. If the model was "
            + "trained on other data as well, nothing is said about these classes."
    }
}
