import Burn
import Execution
import Findings
import Tensors
import WorkerProtocol

/// Pictures of estimated triggers: on their own, and an image of another class without and with it.
struct TriggerPictures {
    let model: GraphModel
    let images: LabelledImages
    let table: AnalysisTable
    let token: CancellationToken

    /// Classes beyond these, the least affected, are left out.
    private static let most = 100
    /// Images that are tried for one that the trigger moves.
    private static let candidates = 32

    /// Writes files into `directory`.
    func write(_ outcome: Detection.Outcome, to directory: String) throws -> (
        triggers: [TriggerFinding], artifacts: [WorkerArtifact]
    ) {
        let estimated = outcome.findings.filter { $0.trigger != nil && $0.effect != nil }
            .sorted { ($0.effect?.excess ?? 0) > ($1.effect?.excess ?? 0) }
        var triggers: [TriggerFinding] = []
        var artifacts: [WorkerArtifact] = []
        let pictures = Pictures(images)
        for finding in estimated.prefix(Self.most) {
            guard let trigger = finding.trigger, let effect = finding.effect,
                let sample = try example(finding, trigger, effect, outcome)
            else { continue }
            let clean = try images.batch([sample])
            let change = try trigger.mechanism(of: effect.form).change() * effect.form.strength
            let direction = try pictures.amplified(change.unsqueeze(0))
            let views: [(WorkerArtifact.Role, TriggerView, [UInt8])] = [
                (.triggerDirection, .direction, direction.pixels),
                (.triggerClean, .clean, try pictures.pixels(clean)),
                (.triggerStamped, .stamped, try pictures.pixels(stamped(clean, trigger, effect.form))),
            ]
            for (role, view, pixels) in views {
                let file = "trigger-\(finding.label)-\(view.rawValue).png"
                try pictures.write(pixels, to: directory + "/" + file)
                artifacts.append(WorkerArtifact(role: role, label: finding.label, file: file))
            }
            triggers.append(
                TriggerFinding(
                    label: finding.label, name: images.classNames[finding.label],
                    form: TriggerFinding.Form(rawValue: effect.form.mechanism),
                    effect: effect.sourceSpecific ? effect.topSourceRate : effect.rate,
                    random: effect.sourceSpecific ? effect.topSourceRandom : effect.random,
                    amplification: direction.factor))
        }
        return (triggers, artifacts)
    }

    private func stamped(
        _ batch: Tensor, _ trigger: TriggerEstimate, _ form: TriggerForm
    ) throws -> Tensor {
        try trigger.inserted(form, into: batch, strengths: Tensor.ones([batch.size(0)]))
    }

    /// The first image of another class that looks clean and that the trigger sends into the class; where it
    /// moves none of those tried, the first of them.
    private func example(
        _ finding: ClassFinding, _ trigger: TriggerEstimate, _ effect: TriggerEffect,
        _ outcome: Detection.Outcome
    ) throws -> Int? {
        let source = effect.sourceSpecific ? effect.topSource : nil
        let candidates = (0..<images.count).lazy.filter { sample in
            let label = images.labels[sample]
            return label != finding.label && !outcome.flagged[sample] && source.map { $0 == label } ?? true
                && Int(table.predicted[sample]) == label
        }
        let tried = Array(candidates.prefix(Self.candidates))
        guard !tried.isEmpty else { return nil }
        let after: [Int] = try model.forward(
            stamped(images.batch(tried), trigger, effect.form), mode: .inference, token: token
        ).argmax(1).array()
        return zip(tried, after).first { $0.1 == finding.label }?.0 ?? tried.first
    }
}
