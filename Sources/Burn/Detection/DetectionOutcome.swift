import Findings

extension Detection {
    package struct Outcome: Sendable {
        package var findings: [ClassFinding]
        package var flagged: [Bool]
        /// Evidence that the sample is poisoned, 0 to 1.
        package var scores: [Double]
        /// Cosine of the sample's perturbation to its predicted class's direction.
        package var coherence: [Double]
        package var verdict: Verdict
        package var costs: [StageCost] = []

        /// Nothing was found yet.
        init(of images: LabelledImages, findings: [ClassFinding] = []) {
            self.findings = findings
            flagged = Array(repeating: false, count: images.count)
            scores = Array(repeating: 0, count: images.count)
            coherence = Array(repeating: 0, count: images.count)
            verdict = VerdictBuilder.empty
        }

        /// Further evidence only ever raises a score.
        mutating func raise(_ sample: Int, to score: Double) { scores[sample] = max(scores[sample], score) }

        package mutating func flag(_ sample: Int, score: Double) {
            flagged[sample] = true
            raise(sample, to: score)
        }

        package var diagnosis: Diagnosis {
            Diagnosis(
                verdict: verdict, flagged: flagged, scores: scores, coherence: coherence,
                backdoors: findings.flatMap(\.withFurther).compactMap(Backdoor.init))
        }
    }
}
