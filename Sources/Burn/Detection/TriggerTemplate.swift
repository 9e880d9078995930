import Findings
import Tensors

/// Finds planted samples that the model itself failed on: they carry the trigger and the target's label, but
/// are predicted as something else, so their perturbations say nothing. What a small trigger barely changes (a white
/// square on a white background) stands apart in no direction of the whole image either (`ImageBundle`).
///
/// The trigger is looked for in the image: the log-likelihood ratio of normal distributions with the values' own means
/// and deviations, of flagged samples against trusted ones of other classes, over the values that tell the two apart.
/// Values that tell little are left out: they show what surrounds the trigger, which is just what these samples differ
/// in. A match needs the score that nearly all flagged samples reach. How many matches are false is told by the target's
/// own samples that are predicted as such: they may look like the trigger by nature (a white corner), and planted ones
/// that were missed among them only make the estimate too careful. Where it is too large, nothing is matched.
enum TriggerTemplate {
    struct Match: Hashable, Sendable {
        var sample: Int
        /// Evidence that it is planted, 0 to 1.
        var score: Double
    }

    private static let mostCompared = 2000

    /// - Parameters:
    ///   - targets: labels of the classes that something was planted into.
    ///   - flagged: samples that carry the trigger.
    ///   - labelled: those that are looked at.
    static func matches(
        targets: [Int], flagged: Set<Int>, images: LabelledImages, labelled: LabelledSamples,
        table: AnalysisTable, parameters: Parameters
    ) throws -> [Match] {
        var matches: [Match] = []
        for label in targets {
            let groups = Groups(label, flagged, images, labelled, table)
            let smallest = min(groups.planted.count, groups.own.count, groups.trusted.count)
            guard smallest >= Int(parameters.smallestGroup), !groups.candidates.isEmpty else { continue }
            let planted = Array(groups.planted.prefix(mostCompared))
            let own = Array(groups.own.prefix(mostCompared))
            let trusted = Array(groups.trusted.prefix(mostCompared))
            let template = try LikelihoodRatio(Moments(images, planted), Moments(images, trusted))
            let cut = try Statistics.quantile(template.scores(images, planted), parameters.templateMiss)
            func matching(_ samples: [Int]) throws -> [Int] {
                try zip(samples, template.scores(images, samples)).filter { $0.1 >= cut }.map(\.0)
            }
            let falseShare = Double(try matching(own).count + 1) / Double(own.count + 1)
            let found = try matching(groups.candidates)
            let wrong = falseRate(found.count, of: groups.candidates.count, falseShare)
            guard wrong <= parameters.templateFalseShare else { continue }
            matches += found.map { Match(sample: $0, score: 1 - max(parameters.templateMiss, wrong)) }
        }
        return matches
    }

    /// The share of false ones among `found` of `candidates`, where all that are planted match and `falseShare` of the
    /// others.
    private static func falseRate(_ found: Int, of candidates: Int, _ falseShare: Double) -> Double {
        guard found > 0, falseShare < 1 else { return 1 }
        let planted = (Double(found) - falseShare * Double(candidates)) / (1 - falseShare)
        return min(1, 1 - planted / Double(found))
    }

    /// What is compared for one target.
    private struct Groups {
        /// Flagged, with the target's label.
        var planted: [Int] = []
        /// Of the target's label, and predicted as something else: to be decided.
        var candidates: [Int] = []
        /// Of the target's label and its prediction, not flagged.
        var own: [Int] = []
        /// Of other classes, and predicted as they are labelled.
        var trusted: [Int] = []

        init(
            _ label: Int, _ flagged: Set<Int>, _ images: LabelledImages, _ labelled: LabelledSamples,
            _ table: AnalysisTable
        ) {
            for sample in labelled.all {
                let given = images.labels[sample]
                let isAsGiven = Int(table.predicted[sample]) == given
                switch (given == label, flagged.contains(sample)) {
                case (true, true): planted.append(sample)
                case (true, false): if isAsGiven { own.append(sample) } else { candidates.append(sample) }
                case (false, _): if isAsGiven { trusted.append(sample) }
                }
            }
        }
    }

    /// Log-likelihood ratio of two sets of independent normal distributions, one a value.
    private struct LikelihoodRatio {
        /// (values that tell the two apart): their places in an image.
        private let places: Tensor
        private let mean: (planted: Tensor, trusted: Tensor)
        private let deviation: (planted: Tensor, trusted: Tensor)

        /// No deviation is smaller than this part of the trusted images': a value is a rounded number.
        private static let leastDeviation = 0.02
        /// How much a value tells beside the most telling one, for it to count (Kullback-Leibler divergence).
        private static let telling = 0.25

        init(_ planted: Moments, _ trusted: Moments) throws {
            let spread = try trusted.deviation().flatten()
            let least =
                try Double(spread.square().mean().item(as: Float.self)).squareRoot() * Self.leastDeviation
            let own = try planted.deviation().flatten().clamp(max(least, 1e-6), nil)
            let other = try spread.clamp(max(least, 1e-6), nil)
            let (inside, outside) = try (planted.mean.flatten(), trusted.mean.flatten())
            let divergence: [Float] = try
                ((other / own).log() + ((inside - outside).square() + own.square()) / (other.square() * 2.0)
                - 0.5)
                .array()
            let most = divergence.max() ?? 0
            let chosen = divergence.indices.filter { divergence[$0] >= Float(Self.telling) * most }
            places = try Tensor(chosen)
            mean = try (inside.indexSelect(0, places), outside.indexSelect(0, places))
            deviation = try (own.indexSelect(0, places), other.indexSelect(0, places))
        }

        /// One for each sample, up to a constant.
        func scores(_ images: LabelledImages, _ samples: [Int]) throws -> [Double] {
            var scores: [Double] = []
            for part in images.parts(of: samples) {
                let values = try images.batch(part).contiguous().flatten(from: 1).indexSelect(1, places)
                let own = try ((values - mean.planted) / deviation.planted).square()
                let other = try ((values - mean.trusted) / deviation.trusted).square()
                scores += try (other - own).sum([1]).array(as: Float.self).map(Double.init)
            }
            return scores
        }
    }
}
