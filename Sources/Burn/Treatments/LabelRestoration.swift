import Execution
import Findings
import Support
import Tensors

/// What flagged samples show besides their trigger: class probabilities that are averaged over everything that
/// has an opinion, in all rounds so far.
///
/// The opinions: the adversarial label; a model's view of the image with the trigger taken out, as it is and
/// mirrored; once there is a sanitised model, its view of the image as it is. The given label is the answer where it may be
/// true (`LabelReading`), or any other would be a guess: how often such answers are right is measured on ordinary samples that
/// the same trigger was put into (`Reliability`). Where the trigger moves some classes' images alone, the classes that the
/// samples come from are estimated, and count as well (`SourcePrior`).
package struct LabelRestoration {
    package let images: LabelledImages
    package var table: AnalysisTable
    let targets: [Target]
    package let reviews: Reviews
    /// Whether mirrored images are asked about as well.
    package let mirrors: Bool
    package let token: CancellationToken
    /// Unflagged samples that the model sees as they are labelled.
    private let ordinary: [Int]
    /// Sums of opinions, by flagged sample.
    private var votes: [Int: ClassOpinion] = [:]
    /// Sums of opinions on ordinary samples with a target's trigger, by the target's place and sample.
    private var gauges: [Int: [Int: ClassOpinion]] = [:]
    private var priors: [Int: SourcePrior] = [:]
    private var reliabilities: [Int: Reliability] = [:]
    private let owners: TargetOfSample

    /// Weight of the adversarial label beside one model's opinion.
    private static let adversarialWeight: Float = 0.5
    /// Of the ordinary samples, so many are asked about for all targets together, and up to twice as many.
    private static let fewestGauged = 512

    /// A label that is less likely right is not given.
    private let leastConfidence: Double

    init(
        images: LabelledImages, table: AnalysisTable, targets: [Target], reviews: Reviews = .none,
        ordinary: [Int] = [], mirrors: Bool = true,
        parameters: Parameters, token: CancellationToken
    ) {
        self.images = images
        self.table = table
        self.targets = targets
        owners = TargetOfSample(targets.map(\.backdoor))
        self.reviews = reviews
        self.ordinary = ordinary
        self.mirrors = mirrors
        leastConfidence = parameters.leastLabelConfidence
        self.token = token
    }

    /// Adds a model's opinions on `samples`; `sanitised` says that it may be asked about the images as they are.
    package mutating func ask(_ answers: ModelAnswers, about samples: [Int], sanitised: Bool) throws {
        // The published method's labels are the adversarial ones.
        let views = BareViews(images: images, mirrors: mirrors, token: token)
        for (place, target) in targets.enumerated() where !target.backdoor.isFoundByDistance {
            // Of what keeps its label, nobody asks for another one.
            guard !target.keepsLabels, target.trigger != nil || sanitised else { continue }
            let own = samples.filter { owner(of: $0) == place }
            try views.add(answers, on: own, target, sanitised: sanitised, to: &votes)
            guard target.trigger != nil, !own.isEmpty else { continue }
            var random = SplitMix64(seed: MethodSeed.derived(from: UInt64(target.label)))
            var gauge = gauges[place] ?? [:]
            let beside = ordinary(beside: target)
            try views.add(answers, on: beside, target, sanitised: sanitised, to: &gauge) {
                try target.trigger?.inserted(into: $0, using: &random) ?? $0
            }
            gauges[place] = gauge
            if target.canBeGauged {
                let answers = beside.compactMap { sample in
                    gauge[sample].map { vote in
                        (certainty: vote.normalised.largest, isRight: vote.best == images.labels[sample])
                    }
                }
                reliabilities[place] = Reliability(answers)
            }
            // What a trigger moves from everywhere was planted from everywhere, whatever its removal suggests.
            guard target.backdoor.isSourceSpecific else { continue }
            priors[place] = SourcePrior(
                opinions: own.compactMap { votes[$0]?.normalised },
                gauge: beside.compactMap { gauge[$0]?.normalised }, classes: images.classes)
        }
    }

    /// The given label of a flagged sample may be true.
    func keepsLabel(of sample: Int) -> Bool { owner(of: sample).map { targets[$0].keepsLabels } ?? false }

    private func owner(of sample: Int) -> Int? { owners.place(of: sample, labelled: images.labels[sample]) }

    /// Samples of other classes, evenly chosen.
    private func ordinary(beside target: Target) -> [Int] {
        let others = ordinary.filter { images.labels[$0] != target.label }
        let step = max(1, others.count * targets.count / Self.fewestGauged)
        return stride(from: 0, to: others.count, by: step).map { others[$0] }
    }

    /// All that has been said of a flagged sample, in the light of which classes its like come from.
    private func verdict(_ sample: Int) -> ClassOpinion {
        var vote = adversarialVote(sample)
        if let opinions = votes[sample] { vote = vote + opinions }
        return owner(of: sample).flatMap { priors[$0] }?.adjusting(vote) ?? vote
    }

    private func adversarialVote(_ sample: Int) -> ClassOpinion {
        let given = images.labels[sample]
        let predicted = Int(table.predicted[sample])
        if let label = table.metLabel(sample), label != given {
            return ClassOpinion(certain: label, weight: Self.adversarialWeight)
        }
        // Named by a person: what the model sees in it, where it leaves that for its given label.
        return predicted == given
            ? ClassOpinion() : ClassOpinion(certain: predicted, weight: Self.adversarialWeight)
    }

    /// What the samples are trained on.
    package func labels(_ samples: [Int]) -> SoftLabels {
        let opinions = samples.map { sample in
            reviews.label(sample).map { ClassOpinion(certain: $0) } ?? verdict(sample)
        }
        return SoftLabels(opinions: opinions, classes: images.classes)
    }

    /// The label of a flagged sample, and how often one that is seen as surely as its best one is right: nil where that is not
    /// known.
    package func restored(_ sample: Int) -> (label: Int, confidence: Double?) {
        let given = images.labels[sample]
        if let known = reviews.label(sample) { return (known, nil) }
        if keepsLabel(of: sample) { return (given, nil) }
        let best = verdict(sample).best ?? given
        guard let opinions = votes[sample], let owner = owner(of: sample),
            let reliability = reliabilities[owner]
        else { return (best, nil) }
        let shown = (priors[owner]?.adjusting(opinions) ?? opinions).normalised
        let confidence = reliability.share(at: shown.share(of: best))
        return ((confidence ?? 1) < leastConfidence ? given : best, confidence)
    }

    package func label(_ sample: Int) -> Int { restored(sample).label }

    package func confidence(_ sample: Int) -> Double? { restored(sample).confidence }
}
