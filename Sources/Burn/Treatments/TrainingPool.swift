import Support

/// Who takes part in the purification, and as what. The partition of the data that phase 2 refines.
package struct TrainingPool: Sendable {
    /// Trusted samples to train on, with their given labels.
    var clean: [Int]
    /// Trusted samples that are never trained on: the acceptance gate.
    var holdout: [Int]
    /// Flagged samples, with restored labels.
    var poison: [Int]
    /// Flagged samples that are not trained on yet: a model that was not shown them says whether they stay flagged.
    var doubtful: [Int] = []
    /// Of `poison`, samples that are not trained on yet either: they show how the model sees what was planted and not trained on.
    var controls: [Int] = []
    /// Samples that were flagged, and are not any more.
    var cleared: [Int] = []
    /// Whether the labels of `holdout` can judge a model: those of most of the set are what the suspicious model sees.
    var labelsAreConfirmed = true

    init(clean: [Int], holdout: [Int], poison: [Int]) {
        self.clean = clean
        self.holdout = holdout
        self.poison = poison
    }

    private static let holdoutShare = 0.1
    private static let mostHoldout = 1000

    /// Unflagged samples of the classes under suspicion that could be trained on: their distances by first order decide, and have to be
    /// known.
    package static func trusted(
        _ diagnosis: Diagnosis, _ images: LabelledImages
    ) -> [Int] {
        let suspicious = Set(diagnosis.backdoors.map(\.label))
        return images.labels.indices.filter {
            suspicious.contains(images.labels[$0]) && !diagnosis.flagged[$0]
        }
    }

    /// The first partition.
    ///
    /// In classes that are under suspicion only the nearer half of the unflagged samples counts as clean:
    /// poisoned samples that went unnoticed lie further from the boundary (a contamination of 1 to 3 % is
    /// enough to bring a backdoor back).
    init(_ diagnosis: Diagnosis, table: AnalysisTable, images: LabelledImages, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let suspicious = Set(diagnosis.backdoors.map(\.label))
        let trusted = (0..<images.count).filter {
            !diagnosis.flagged[$0]
                && (Int(table.predicted[$0]) == images.labels[$0] || diagnosis.reviews.isRejected($0))
        }
        var limits: [Int: Float] = [:]
        for label in suspicious {
            let distances = trusted.filter { images.labels[$0] == label }
                .map { Double(table.linearDistance[$0]) }.filter(\.isFinite)
            limits[label] = Float(Statistics.median(distances))
        }
        // Right or wrong: accuracy on the trusted alone would be 1 by construction. Where hardly a class is above
        // suspicion, the nearer half of the others' samples has to do.
        let unflagged = (0..<images.count).filter { !diagnosis.flagged[$0] }
        let unsuspicious = unflagged.filter { !suspicious.contains(images.labels[$0]) }
        let supposed =
            unsuspicious.count * 4 >= unflagged.count
            ? unsuspicious
            : unflagged.filter { sample in
                limits[images.labels[sample]].map { table.linearDistance[sample] <= $0 } ?? true
            }
        // A label that stands for another class would reward a model that unlearns the right one.
        let confirmed = Self.confirmedClasses(unflagged, table: table, images: images)
        let candidates = supposed.filter { confirmed.contains(images.labels[$0]) }
        labelsAreConfirmed = 2 * candidates.count >= supposed.count
        let wanted = min(Self.mostHoldout, Int(Double(candidates.count) * Self.holdoutShare))
        holdout = Array(candidates.shuffled(using: &random).prefix(wanted)).sorted()
        let kept = Set(holdout)
        clean = trusted.filter { sample in
            !kept.contains(sample)
                && (diagnosis.reviews.isRejected(sample)
                    || limits[images.labels[sample]].map { table.linearDistance[sample] <= $0 } ?? true)
        }
        poison = diagnosis.flagged.indices.filter { diagnosis.flagged[$0] }
    }

    /// Classes of which no other one is predicted more often for samples with their label.
    private static func confirmedClasses(
        _ samples: [Int], table: AnalysisTable, images: LabelledImages
    ) -> Set<Int> {
        var counts: [Int: [Int: Int]] = [:]
        for sample in samples {
            counts[images.labels[sample], default: [:]][Int(table.predicted[sample]), default: 0] += 1
        }
        return Set(
            counts.filter { label, predictions in
                predictions[label, default: 0] == predictions.values.max() ?? 0
            }.keys)
    }
}
