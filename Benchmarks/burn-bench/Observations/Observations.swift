import Foundation

/// What was seen of one model.
struct Observations: Codable {
    /// Samples of one kind, pushed over the boundary. Numbers are in no order.
    struct Group: Codable {
        /// L2 norms of the smallest perturbations, in units of the input.
        var distances: [Double] = []
        /// Classes met, and true classes.
        var adversarial: [Int] = []
        var labels: [Int] = []
        /// Cosines of the penultimate activations to the mean of clean samples of the true class, both less the mean of all
        /// classes: of the images as they are, and under the perturbation. Empty for a model without such a layer.
        var before: [Double] = []
        var after: [Double] = []

        enum CodingKeys: String, CodingKey { case distances, adversarial, labels, before, after }

        /// Share of samples whose adversarial label is their true class.
        var trueShare: Double {
            Double(zip(adversarial, labels).count { $0 == $1 }) / Double(max(1, labels.count))
        }

        /// Entropy of the adversarial labels of samples with the same true class, in bits, the mean over all samples.
        var entropy: Double {
            let groups = Dictionary(grouping: zip(adversarial, labels)) { $0.1 }.values
            return groups.reduce(0) { sum, group in
                let counts = Dictionary(grouping: group) { $0.0 }.values.map { Double($0.count) }
                let total = Double(group.count)
                return sum - counts.reduce(0) { $0 + $1 * log2($1 / total) }
            } / Double(max(1, labels.count))
        }
    }

    var name: String
    /// By kind: `poisoned`, `clean`, and `target`: clean ones of the classes that poisoned ones are labelled as.
    var groups: [String: Group]

    var summary: String {
        let kinds = groups.sorted { $0.key < $1.key }.map { kind, group in
            let numbers = [
                Self.median(group.distances), group.trueShare, group.entropy, Self.median(group.before),
                Self.median(group.after),
            ].map { String(format: "%.3f", $0) }
            return "| \(name) | \(kind) | \(group.labels.count) | \(numbers.joined(separator: " | ")) |"
        }
        return kinds.joined(separator: "\n")
    }

    static func median(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.sorted()[values.count / 2]
    }
}
