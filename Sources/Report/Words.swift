import Findings
import Foundation
import Support

extension JobReport {
    /// The verdict in plain words.
    public struct Words: Codable, Hashable, Sendable {
        /// One sentence.
        public var headline: String
        /// What it means and how sure it is, a sentence or two each.
        public var explanation: [String]

        public init(headline: String, explanation: [String]) {
            self.headline = headline
            self.explanation = explanation
        }
    }
}

extension JobReport.Words {
    init(
        _ verdict: Verdict, type: JobType, method: JobOptions.Method, names: [String],
        samples: JobReport.SampleCounts, purification: JobReport.Purification?
    ) {
        let targets = verdict.targetClasses.map { Self.name($0, names) }
        switch verdict.result {
        case .clean:
            headline = "No backdoor was found in this model."
            explanation = [
                method == .published
                    ? "In no class do significantly more samples lie unusually far from the decision boundary than in the "
                        + "others. The published method looks at nothing else."
                    : "No class holds a group of training samples that share a direction which works as a trigger.",
                "That is not a proof."
                    + (verdict.detectableRate.map {
                        " In trials on this job a share of \(precisePercent($0)) poisoned samples was noticed, where their "
                            + "trigger is one pattern that the model has learned well."
                    } ?? ""),
            ]
        case .backdoored:
            headline = "The model carries a backdoor into \(Self.list(targets, singular: "class"))."
            explanation = [Self.meaning(verdict.kind, targets)]
            explanation.append(Self.share(verdict, samples))
            if let confidence = verdict.confidence {
                explanation.append(
                    "The confidence that there is a backdoor is \(precisePercent(confidence)), from a test "
                        + "against the job's own null: the same measurements where nothing is hidden.")
            }
        case .suspicious:
            headline =
                "The evidence about this model disagrees; \(Self.list(targets, singular: "class")) looks suspicious."
            explanation = [
                "Some of the measurements point to a backdoor and others do not. The flagged samples should be "
                    + "looked at before the model is used.",
                Self.share(verdict, samples),
            ]
        case .undetermined:
            let unjudged = (verdict.unjudgedClasses ?? []).map { Self.name($0, names) }
            headline = "Whether this model carries a backdoor could not be determined."
            explanation = [
                "There are too few samples of \(Self.list(unjudged, singular: "class")) to be judged: a group of planted ones "
                    + "would not have been noticed there. In the other classes nothing was found.",
                "Give more samples of these classes, and do not take the model for clean before.",
            ]
        }
        guard type == .purify else {
            explanation.append("This was a scan: the model was analysed and nothing was changed.")
            return
        }
        if purification?.modelChanged == true {
            explanation.append(
                "The model was purified. The file given back differs from the upload only in its weights; "
                    + "\(samples.relabelled) training samples got another label.")
        } else {
            explanation.append(Self.unchanged(verdict.result))
        }
    }

    /// Why a purification changed nothing.
    private static func unchanged(_ result: Verdict.Result) -> String {
        switch result {
        case .suspicious:
            "The model was not changed, since the evidence disagrees and the option \"force\" was not set."
        case .undetermined:
            "The model was not changed, since nothing could be determined: the model given back is the upload, byte "
                + "for byte."
        case .clean, .backdoored:
            "There was nothing to purify: the model given back is the upload, byte for byte."
        }
    }

    private static func meaning(_ kind: Verdict.Kind?, _ targets: [String]) -> String {
        let target = targets.first ?? "the target class"
        switch kind {
        case .cleanLabel:
            return
                "The poisoned samples carry their true label. Images with the hidden pattern are taken for "
                + "\(target), whatever they show."
        case .allToAll:
            return "With the hidden pattern in an image, the model answers another class than the one shown, "
                + "a different one for each."
        case .severalTargets:
            return
                "Hidden patterns make the model answer one of \(targets.count) classes that their maker chose."
        case .allToOne, nil:
            return
                "Whoever puts the hidden pattern into an image makes the model answer \(target), whatever the "
                + "image shows. On ordinary images the model behaves well, which is why tests do not show it."
        }
    }

    private static func share(_ verdict: Verdict, _ samples: JobReport.SampleCounts) -> String {
        let interval =
            verdict.poisonRateInterval.count == 2
            ? " (95 % interval \(precisePercent(verdict.poisonRateInterval[0])) to \(precisePercent(verdict.poisonRateInterval[1])))"
            : ""
        return
            "\(verdict.poisonedSamples) of \(samples.analysed) training samples are judged to be poisoned, "
            + "\(precisePercent(verdict.poisonRate)) of them\(interval)."
            + (samples.flagged == verdict.poisonedSamples
                ? "" : " In the end, \(samples.flagged) are flagged.")
    }

    static func name(_ label: Int, _ names: [String]) -> String {
        names.indices.contains(label) && !names[label].isEmpty ? "\(label) “\(names[label])”" : "\(label)"
    }

    private static func list(_ items: [String], singular: String) -> String {
        switch items.count {
        case 0: "a \(singular)"
        case 1: "\(singular) \(items[0])"
        case 2...8: "\(singular)es \(items.dropLast().joined(separator: ", ")) and \(items[items.count - 1])"
        default: "\(items.count) \(singular)es"
        }
    }

}

/// What can't be told from a job's results.
enum Limits {
    static func statements(
        _ verdict: Verdict, _ type: JobType, metrics: PurificationMetrics?, forced: Bool
    ) -> [String] {
        var lines =
            verdict.detectableRate.map {
                ["Poison below \(precisePercent($0)) of the samples may have gone unnoticed."]
            } ?? []
        lines += [
            "Triggers that differ from sample to sample, or that were made to pass this analysis, can be missed.",
            "The analysis sees only the data set it was given: poison in other training data leaves no trace here.",
            "A sample judged poisoned may be a mislabelled or unusual one, and the other way round.",
        ]
        if metrics?.before?.asr == nil {
            lines.append(
                "No triggered images were given, so the attack's success was not measured; residual figures are "
                    + "estimates with the trigger that the analysis reconstructed.")
        }
        if metrics?.before?.acc == nil {
            lines.append(
                "No clean test images were given: accuracies are those on held-out training samples with their "
                    + "given labels.")
        }
        if type == .purify {
            lines.append(
                "A model trained further on the poisoned samples may learn the backdoor again; use the corrected "
                    + "labels.")
        }
        if forced {
            lines.append("Purification was forced: it also treats classes that are only suspicious.")
        }
        return lines
    }
}
