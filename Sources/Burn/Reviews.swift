import Findings

/// What people decided about samples, for a purification to go by.
package struct Reviews: Sendable {
    /// By sample.
    private let decisions: [Int: SampleReview]

    package static let none = Reviews([])

    package init(_ reviews: [SampleReview]) {
        decisions = Dictionary(reviews.map { ($0.index, $0) }) { first, _ in first }
    }

    /// Clean, whatever the analysis says.
    package func isRejected(_ sample: Int) -> Bool { decisions[sample]?.decision == .reject }

    /// Poisoned, whatever the analysis says.
    package func isAccepted(_ sample: Int) -> Bool {
        decisions[sample].map { $0.decision != .reject } ?? false
    }

    /// The true label, where somebody knows it.
    package func label(_ sample: Int) -> Int? { decisions[sample]?.label }

    package var namesPoison: Bool { decisions.values.contains { $0.decision != .reject } }

    /// Sets the flags of the samples that were decided about.
    package func apply(to flagged: inout [Bool]) {
        for (sample, review) in decisions { flagged[sample] = review.decision != .reject }
    }
}
