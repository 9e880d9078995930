import Findings

/// How the evidence of all samples is spread. Labels are indices of the model's outputs.
public struct EvidenceDistributions: Codable, Hashable, Sendable {
    public struct Histograms: Codable, Hashable, Sendable {
        /// Boundary distances, ascending: bin i holds `edges[i] <= d < edges[i + 1]`, the last one its end too. The
        /// last one may be wider.
        public var edges: [Double]
        public var classes: [Counts]

        public init(edges: [Double], classes: [Counts]) {
            self.edges = edges
            self.classes = classes
        }
    }

    /// The samples that are predicted as one class.
    public struct Counts: Codable, Hashable, Sendable {
        public var label: Int
        /// A count for each bin.
        public var unflagged, flagged: [Int]

        public init(label: Int, unflagged: [Int], flagged: [Int]) {
            self.label = label
            self.unflagged = unflagged
            self.flagged = flagged
        }
    }

    /// Flagged samples that were given one label and get another (or keep theirs).
    public struct Relabelling: Codable, Hashable, Sendable {
        public var given, restored, count: Int

        public init(given: Int, restored: Int, count: Int) {
            self.given = given
            self.restored = restored
            self.count = count
        }
    }

    /// Samples predicted as one class that tend to another when they are pushed over the boundary.
    public struct AdversarialLabels: Codable, Hashable, Sendable {
        public var predicted, adversarial: Int
        public var flagged: Bool
        public var count: Int

        public init(predicted: Int, adversarial: Int, flagged: Bool, count: Int) {
            self.predicted = predicted
            self.adversarial = adversarial
            self.flagged = flagged
            self.count = count
        }
    }

    public var classNames: [String]
    public var distanceHistograms: Histograms
    /// Largest count first.
    public var labelMatrix: [Relabelling]
    /// Largest count first.
    public var adversarialLabels: [AdversarialLabels]

    public init(
        classNames: [String], distanceHistograms: Histograms, labelMatrix: [Relabelling],
        adversarialLabels: [AdversarialLabels]
    ) {
        self.classNames = classNames
        self.distanceHistograms = distanceHistograms
        self.labelMatrix = labelMatrix
        self.adversarialLabels = adversarialLabels
    }

    enum CodingKeys: String, CodingKey {
        case classNames = "class_names"
        case distanceHistograms = "distance_histograms"
        case labelMatrix = "label_matrix"
        case adversarialLabels = "adversarial_labels"
    }
}

/// Counts samples as they come, in any order, in a few bytes each.
public struct EvidenceTally: Sendable {
    public static let bins = 40
    /// Of each kind of pairs, as many are kept as a report can show.
    public static let maximumPairs = 20_000

    private struct Pair: Hashable {
        var first, second: Int32
        var flagged: Bool
    }

    private var distances: [Float] = []
    private var labels: [Int32] = []
    private var flags: [Bool] = []
    private var relabellings: [Pair: Int] = [:]
    private var adversarial: [Pair: Int] = [:]
    private var relabelled = 0

    public init() {}

    public mutating func add(_ sample: SampleFinding) {
        distances.append(sample.boundaryDistance.map { Float($0) } ?? .nan)
        labels.append(Int32(clamping: sample.predictedLabel))
        flags.append(sample.flagged)
        if let met = sample.adversarialLabel {
            let pair = Pair(
                first: Int32(clamping: sample.predictedLabel), second: Int32(clamping: met),
                flagged: sample.flagged)
            adversarial[pair, default: 0] += 1
        }
        guard sample.flagged else { return }
        relabellings[
            Pair(
                first: Int32(clamping: sample.givenLabel), second: Int32(clamping: sample.restoredLabel),
                flagged: true), default: 0] += 1
        if sample.givenLabel != sample.restoredLabel { relabelled += 1 }
    }

    public var counts: JobReport.SampleCounts {
        JobReport.SampleCounts(
            analysed: labels.count, flagged: flags.count { $0 }, relabelled: relabelled)
    }

    public func distributions(classNames: [String]) -> EvidenceDistributions {
        EvidenceDistributions(
            classNames: classNames, distanceHistograms: histograms(),
            labelMatrix: sorted(relabellings).map {
                .init(given: Int($0.key.first), restored: Int($0.key.second), count: $0.value)
            },
            adversarialLabels: sorted(adversarial).map {
                .init(
                    predicted: Int($0.key.first), adversarial: Int($0.key.second), flagged: $0.key.flagged,
                    count: $0.value)
            })
    }

    private func sorted(_ pairs: [Pair: Int]) -> ArraySlice<(key: Pair, value: Int)> {
        pairs.sorted {
            ($1.value, $0.key.first, $0.key.second, $0.key.flagged ? 0 : 1)
                < ($0.value, $1.key.first, $1.key.second, $1.key.flagged ? 0 : 1)
        }.prefix(Self.maximumPairs)
    }

    /// Bins of one width up to a quarter more than 99 % of the distances; the last one goes on to the largest.
    private func histograms() -> EvidenceDistributions.Histograms {
        let known = distances.filter(\.isFinite).sorted()
        guard let largest = known.last, largest > 0 else {
            return .init(edges: [0, 1], classes: [])
        }
        let common = known[min(known.count - 1, known.count * 99 / 100)]
        let top = min(Double(largest), max(Double(common) * 1.25, Double(largest) * 1e-6))
        let width = top / Double(Self.bins)
        var edges = (0...Self.bins).map { Double($0) * width }
        edges[Self.bins] = max(Double(largest), edges[Self.bins])
        var counts: [Int32: EvidenceDistributions.Counts] = [:]
        for index in distances.indices where distances[index].isFinite {
            let bin = min(Self.bins - 1, max(0, Int(min(Double(distances[index]), top) / width)))
            let empty = [Int](repeating: 0, count: Self.bins)
            var entry =
                counts[labels[index]]
                ?? .init(label: Int(labels[index]), unflagged: empty, flagged: empty)
            if flags[index] { entry.flagged[bin] += 1 } else { entry.unflagged[bin] += 1 }
            counts[labels[index]] = entry
        }
        return .init(edges: edges, classes: counts.values.sorted { $0.label < $1.label })
    }
}
