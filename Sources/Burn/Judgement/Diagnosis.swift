import Findings

/// What the detection concludes: the verdict, what it says of every sample, and what a purification has to remove.
package struct Diagnosis: Sendable {
    package var verdict: Verdict
    /// One for each sample.
    package var flagged: [Bool]
    /// Evidence that the sample is poisoned, 0 to 1.
    package var scores: [Double]
    /// Cosine of the sample's perturbation to its predicted class's direction.
    package var coherence: [Double]
    package var backdoors: [Backdoor]
    /// What people decided; the flags go by it, the verdict does not.
    package private(set) var reviews = Reviews.none

    package init(
        verdict: Verdict, flagged: [Bool], scores: [Double], coherence: [Double], backdoors: [Backdoor]
    ) {
        self.verdict = verdict
        self.flagged = flagged
        self.scores = scores
        self.coherence = coherence
        self.backdoors = backdoors
    }

    package mutating func apply(_ reviews: Reviews) {
        self.reviews = reviews
        reviews.apply(to: &flagged)
    }
}
