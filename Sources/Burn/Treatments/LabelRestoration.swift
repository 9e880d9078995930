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
    package let table: AnalysisTable
    let targets: [Target]
    package let reviews: Reviews
    /// Whether mirrored images are asked about as well.
    package let mirrors: Bool
    package let token: CancellationToken
    /// Unflagged samples that the model sees as they are labelled.
    private let ordinary: [Int]
    /// Sums of opinions, by flagged sample.
    private var votes: [Int: [Float]] = [:]
    /// Sums of opinions on ordinary samples with a target's trigger, by target and sample.
    private var gauges: [Int: [Int: [Float]]] = [:]
    private var priors: [Int: SourcePrior] = [:]
    private var reliabilities: [Int: Reliability] = [:]
    /// Classes whose given labels may be true.
    private let kept: Set<Int>

    /// Weight of the adversarial label beside one model's opinion.
    private static let adversarialWeight: Float = 0.5
    /// Ordinary samples that are asked about, for all targets together.
    private static let mostGauged = 1024

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
        kept = Set(targets.filter(\.keepsLabels).map(\.label))
        self.reviews = reviews
        self.ordinary = ordinary
        self.mirrors = mirrors
        leastConfidence = parameters.leastLabelConfidence
        self.token = token
    }

    /// Adds `model`'s opinions on `samples`; `sanitised` says that it may be asked about the images as they are.
    package mutating func ask(_ model: GraphModel, about samples: [Int], sanitised: Bool) throws {
        // The published method's labels are the adversarial ones.
        for target in targets where !target.backdoor.isFoundByDistance {
            guard target.trigger != nil || sanitised else { continue }
            let own = samples.filter { images.labels[$0] == target.label }
            let opinions = try opinions(of: model, on: own, target, sanitised: sanitised) { $0 }
            for (sample, opinion) in opinions { Self.add(opinion, to: &votes[sample]) }
            guard !target.keepsLabels, target.trigger != nil, !own.isEmpty else { continue }
            var random = SplitMix64(seed: MethodSeed.derived(from: UInt64(target.label)))
            var gauge = gauges[target.label] ?? [:]
            let beside = ordinary(beside: target)
            let usual = try self.opinions(
                of: model, on: beside, target, sanitised: sanitised
            ) {
                try target.trigger?.inserted(into: $0, using: &random) ?? $0
            }
            for (sample, opinion) in usual { Self.add(opinion, to: &gauge[sample]) }
            gauges[target.label] = gauge
            if target.canBeGauged {
                let answers = beside.compactMap { sample in
                    gauge[sample].map(ClassOpinion.normalised).map { vote in
                        let seen = Self.best(of: vote) ?? 0
                        return (certainty: vote[seen], isRight: seen == images.labels[sample])
                    }
                }
                reliabilities[target.label] = Reliability(answers)
            }
            // What a trigger moves from everywhere was planted from everywhere, whatever its removal suggests.
            guard target.backdoor.isSourceSpecific else { continue }
            priors[target.label] = SourcePrior(
                opinions: own.compactMap { votes[$0] }.map(ClassOpinion.normalised),
                gauge: beside.compactMap { gauge[$0] }.map(ClassOpinion.normalised), classes: images.classes)
        }
    }

    /// Class probabilities without the target's, which sum to 1: one for each view of each sample.
    private func opinions(
        of model: GraphModel, on samples: [Int], _ target: Target, sanitised: Bool,
        prepared: (Tensor) throws -> Tensor
    ) throws -> [(sample: Int, opinion: [Float])] {
        var opinions: [(sample: Int, opinion: [Float])] = []
        for part in images.parts(of: samples) {
            let batch = try prepared(images.batch(part))
            let removed = try target.trigger?.removed(from: batch)
            var views = try removed.map { mirrors ? [$0, try $0.flip([3])] : [$0] } ?? []
            if sanitised { views.append(batch) }
            for view in views {
                let rows: [Float] = try model.forward(view, mode: .inference, token: token).softmax(1).array()
                for (row, sample) in part.enumerated() {
                    let seen = rows[row * images.classes..<(row + 1) * images.classes]
                    opinions.append((sample, ClassOpinion.apart(from: target.label, seen)))
                }
            }
        }
        return opinions
    }

    /// Samples of other classes, evenly chosen.
    private func ordinary(beside target: Target) -> [Int] {
        let others = ordinary.filter { images.labels[$0] != target.label }
        let step = max(1, others.count * targets.count / Self.mostGauged)
        return stride(from: 0, to: others.count, by: step).map { others[$0] }
    }

    private static func add(_ opinion: [Float], to vote: inout [Float]?) {
        let known = vote ?? [Float](repeating: 0, count: opinion.count)
        vote = zip(known, opinion).map { $0 + $1 }
    }

    /// All that has been said of a flagged sample, in the light of which classes its like come from.
    private func verdict(_ sample: Int) -> [Float] {
        var vote = adversarialVote(sample)
        if let opinions = votes[sample] { vote = zip(vote, opinions).map { $0 + $1 } }
        return priors[images.labels[sample]]?.adjusting(vote) ?? vote
    }

    private func adversarialVote(_ sample: Int) -> [Float] {
        var vote = [Float](repeating: 0, count: images.classes)
        let given = images.labels[sample]
        let predicted = Int(table.predicted[sample])
        if let label = table.metLabel(sample), label != given {
            vote[label] = Self.adversarialWeight
        } else if predicted != given {
            // Named by a person: what the model sees in it, where it leaves that for its given label.
            vote[predicted] = Self.adversarialWeight
        }
        return vote
    }

    /// Probabilities, (samples.count, classes), for training.
    package func probabilities(_ samples: [Int]) throws -> Tensor {
        let rows = samples.flatMap { sample -> [Float] in
            if let known = reviews.label(sample) { return (0..<images.classes).map { $0 == known ? 1 : 0 } }
            let vote = verdict(sample)
            let total = vote.reduce(0, +)
            return total > 0 ? vote.map { $0 / total } : vote.map { _ in 1 / Float(images.classes) }
        }
        return try Tensor(rows, shape: [samples.count, images.classes])
    }

    /// The label of a flagged sample, and how often one that is seen as surely as its best one is right: nil where that is not
    /// known.
    package func restored(_ sample: Int) -> (label: Int, confidence: Double?) {
        let given = images.labels[sample]
        if let known = reviews.label(sample) { return (known, nil) }
        if kept.contains(given) { return (given, nil) }
        let best = Self.best(of: verdict(sample)) ?? given
        guard let opinions = votes[sample], let reliability = reliabilities[given] else { return (best, nil) }
        let shown = ClassOpinion.normalised(priors[given]?.adjusting(opinions) ?? opinions)
        let confidence = reliability.share(at: shown[best])
        return ((confidence ?? 1) < leastConfidence ? given : best, confidence)
    }

    package func label(_ sample: Int) -> Int { restored(sample).label }

    package func confidence(_ sample: Int) -> Double? { restored(sample).confidence }

    /// The first of the largest.
    private static func best(of vote: [Float]) -> Int? {
        vote.indices.max { (vote[$0], $1) < (vote[$1], $0) }
    }
}
