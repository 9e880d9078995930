import Findings
import Support

/// Findings on training samples against the known truth. Cover samples count as clean: their labels are
/// right.
public struct DetectionScore: Codable, Hashable, Sendable {
    public private(set) var poisoned = 0
    public private(set) var clean = 0
    /// Flagged, of the poisoned and of the clean samples.
    public private(set) var found = 0
    public private(set) var falselyFlagged = 0
    /// Poisoned samples whose restored label is their true class; and those of them that were flagged.
    public private(set) var restored = 0
    public private(set) var restoredOfFound = 0
    /// Area under the ROC curve of the samples' scores; nil without poisoned (or clean) samples.
    public private(set) var auroc: Double?
    /// The same of the boundary distance alone, and of the coherence alone.
    public private(set) var distanceAUROC: Double?
    public private(set) var coherenceAUROC: Double?
    /// Poisoned samples whose adversarial label is their true class; nil in results of before it was counted, and where not all of them were analysed.
    public private(set) var adversarial: Int?

    /// - Parameter truth: by sample name.
    /// - Throws: `findings-mismatch` when the findings are not about these samples.
    public init(_ samples: [SampleFinding], truth: [String: SampleTruth]) throws {
        guard samples.count == truth.count else {
            throw Self.mismatch("It lists \(samples.count) samples; there are \(truth.count).")
        }
        var scores: [(score: Double, isPoisoned: Bool)] = []
        var distances = scores
        var coherences = scores
        var truly: Int? = 0
        for sample in samples {
            guard let known = truth[SampleTruth.name(ofEntry: sample.name)] else {
                throw Self.mismatch("There is no sample `\(sample.name)`.")
            }
            scores.append((sample.score, known.isPoisoned))
            if let distance = sample.boundaryDistance { distances.append((distance, known.isPoisoned)) }
            if known.isPoisoned, sample.adversarialLabel == nil { truly = nil }
            coherences.append((sample.coherence, known.isPoisoned))
            if known.isPoisoned {
                poisoned += 1
                found += sample.flagged ? 1 : 0
                truly = truly.map { $0 + (sample.adversarialLabel == known.label ? 1 : 0) }
                restored += sample.restoredLabel == known.label ? 1 : 0
                restoredOfFound += sample.flagged && sample.restoredLabel == known.label ? 1 : 0
            } else {
                clean += 1
                falselyFlagged += sample.flagged ? 1 : 0
            }
        }
        auroc = Self.auroc(scores)
        // Of those that were analysed alone, it would be another figure.
        distanceAUROC = distances.count == samples.count ? Self.auroc(distances) : nil
        coherenceAUROC = Self.auroc(coherences)
        adversarial = truly
    }

    /// Nil without poisoned samples.
    public var truePositiveRate: Double? { Self.share(found, poisoned) }
    public var falsePositiveRate: Double? { Self.share(falselyFlagged, clean) }
    /// Of the poisoned samples.
    public var restoredShare: Double? { Self.share(restored, poisoned) }
    /// Of the poisoned samples: how often the adversarial label is the true class.
    public var adversarialShare: Double? { adversarial.flatMap { Self.share($0, poisoned) } }
    /// Of the poisoned samples that were flagged.
    public var restoredPrecision: Double? { Self.share(restoredOfFound, found) }

    /// The probability that a poisoned sample scores above a clean one, ties counting half (Mann and
    /// Whitney).
    static func auroc(_ scores: [(score: Double, isPoisoned: Bool)]) -> Double? {
        let sorted = scores.sorted { $0.score < $1.score }
        let positives = sorted.count { $0.isPoisoned }
        let negatives = sorted.count - positives
        guard positives > 0, negatives > 0 else { return nil }
        var below = 0
        var sum = 0.0
        var start = 0
        while start < sorted.count {
            let end = sorted[start...].firstIndex { $0.score > sorted[start].score } ?? sorted.count
            let poisoned = sorted[start..<end].count { $0.isPoisoned }
            let clean = end - start - poisoned
            sum += Double(poisoned) * (Double(below) + Double(clean) / 2)
            below += clean
            start = end
        }
        return sum / (Double(positives) * Double(negatives))
    }

    private static func share(_ part: Int, _ whole: Int) -> Double? {
        whole > 0 ? Double(part) / Double(whole) : nil
    }

    private static func mismatch(_ detail: String) -> Problem {
        Problem(
            .internal, code: "findings-mismatch", title: "The findings are not about these samples",
            detail: detail)
    }
}
