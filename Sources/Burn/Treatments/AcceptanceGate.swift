import Execution
import Findings
import Foundation
import Support
import Tensors

/// Judges a candidate model on samples that were never trained on, without the true trigger and without the
/// user's evaluation sets.
struct AcceptanceGate {
    let images: LabelledImages
    let targets: [Target]
    let holdout: [Int]
    var flagged: [Int]
    /// Whether the labels of `holdout` are what the suspicious model sees: where they are not, accuracy on them says nothing.
    var labelsAreConfirmed = true
    /// What the user vouches for; accuracy is measured on it, where there is any.
    var trusted: TrustedImages?
    let parameters: Parameters
    let token: CancellationToken

    struct Report: Hashable, Sendable {
        /// Accuracy against the given labels on the holdout, or against the true ones on what the user vouches for.
        var accuracy: Double
        /// Estimated without the trigger: the share of holdout images that the estimated triggers still send
        /// into their class, beyond those that go there untouched; the worst target and form.
        var residual: Double
        /// Share of the flagged samples that still get their given label. Says nothing for clean-label poison.
        var flaggedUnchanged: Double
        /// The same for the samples of a backdoor whose trigger was not estimated, which nothing else is known of; the worst of these.
        var untracedUnchanged = 0.0
    }

    func measure(_ answers: ModelAnswers) throws -> Report {
        let labels = holdout.map { images.labels[$0] }
        let predictions = try answers.predictions(holdout)
        var residual = 0.0
        for target in targets {
            let probes = holdout.filter { images.labels[$0] != target.label }
            guard !probes.isEmpty else { continue }
            let untouched = zip(predictions, labels).count { $0 == target.label && $1 != target.label }
            let left = try target.trigger?.residual(
                into: target.label, probes: probes, untouched: Double(untouched) / Double(probes.count),
                model: answers.model, token: token)
            residual = max(residual, left ?? 0)
        }
        let unchanged = try unchanged(answers)
        let untraced = unchanged.filter { !targets[$0.key].backdoor.isEstimated }
        return Report(
            accuracy: try trusted?.accuracy(of: answers.model, token: token)
                ?? Accuracy.clean(predictions: predictions, labels: labels),
            residual: residual, flaggedUnchanged: Self.share(unchanged.values.flatMap(\.self)),
            untracedUnchanged: untraced.values.map(Self.share).max() ?? 0)
    }

    /// Of the flagged samples whose labels are wrong, by the place of the backdoor that they were planted for: whether they still get
    /// these.
    private func unchanged(_ answers: ModelAnswers) throws -> [Int: [Bool]] {
        let owners = TargetOfSample(targets.map(\.backdoor))
        let planted = flagged.compactMap { sample in
            owners.place(of: sample, labelled: images.labels[sample]).map { (sample: sample, place: $0) }
        }.filter { !targets[$0.place].keepsLabels }
        let after = try answers.predictions(planted.map(\.sample))
        return Dictionary(grouping: zip(planted, after), by: \.0.place).mapValues { samples in
            samples.map { images.labels[$0.0.sample] == $0.1 }
        }
    }

    private static func share(_ unchanged: [Bool]) -> Double {
        Double(unchanged.count { $0 }) / Double(max(unchanged.count, 1))
    }

    /// What a candidate may lose on the holdout. The suspicious model has usually been trained on these
    /// samples, a candidate has not: the first step is allowed more than the later ones.
    private var usualRoundTolerance: Double { parameters.accuracyLoss / 5 }
    /// What the user vouches for, neither has been trained on: nothing but chance is allowed.
    private var trustedTolerance: Double? { trusted.map { max($0.chance, usualRoundTolerance) } }
    private var firstTolerance: Double { trustedTolerance ?? parameters.accuracyLoss }
    private var roundTolerance: Double { trustedTolerance ?? usualRoundTolerance }
    /// Without an estimated trigger: of the flagged samples, more than these still get the attacker's label.
    private static let mostUnchanged = 0.5

    /// Whether accuracy can be judged.
    var canJudge: Bool { !holdout.isEmpty && (labelsAreConfirmed || trusted != nil) }

    /// Whether a round of refinement takes the place of the model before it. Small losses of several rounds add up: no round may
    /// fall short where the model before it did not.
    func acceptsRound(_ report: Report, after earlier: Report, before: Report) -> Bool {
        canJudge && report.accuracy >= earlier.accuracy - roundTolerance
            && report.residual <= max(earlier.residual, parameters.residual / 5)
            && (shortfall(report, before: before) == nil || shortfall(earlier, before: before) != nil)
    }

    /// What a purified model falls short of, in words; nil for one that passes.
    func shortfall(_ report: Report, before: Report) -> String? {
        if holdout.isEmpty { return "no sample could be held out to judge it by" }
        if !canJudge {
            return
                "the given labels of most classes are not what the model sees, so that they can't tell whether its accuracy "
                + "holds"
        }
        if losesAccuracy(report, before: before) {
            return
                "its accuracy on \(trusted == nil ? "held-out" : "trusted") samples fell from \(percent(before.accuracy)) to "
                + percent(report.accuracy)
        }
        return triggerShortfall(report)
    }

    func losesAccuracy(_ report: Report, before: Report) -> Bool {
        canJudge && report.accuracy < before.accuracy - firstTolerance
    }

    /// What is left of the backdoor, in words; nil where too little is to be seen.
    func triggerShortfall(_ report: Report) -> String? {
        if report.residual > parameters.residual {
            return
                "the estimated trigger still sends \(percent(report.residual)) of held-out images into its class"
        }
        if report.untracedUnchanged > Self.mostUnchanged {
            return
                "\(percent(report.untracedUnchanged)) of the samples that were flagged for a backdoor without an estimated trigger still get "
                + "the label they were given"
        }
        return nil
    }
}
