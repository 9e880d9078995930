/// How the true classes of flagged samples are spread, against how those of ordinary samples are.
///
/// An attacker may poison one class alone, or each class into the next: then an opinion on a sample that is hard to see
/// is right far more often where it agrees with the others'. The spread is estimated from the opinions alone (expectation
/// maximisation; Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori
/// probabilities", Neural Computation 14, 2002, equation 2.7). What the opinions are gauged on, images of known classes
/// that the same trigger was put into and taken out of, cancels what the removal itself suggests. Flagged samples that come
/// from all classes alike are left as they are; but where the removal is far from exact it suggests one class to all of them,
/// and so does this.
struct SourcePrior: Sendable {
    /// By class: how many times as frequent it is among the flagged samples.
    let ratios: [Float]

    private static let iterations = 200
    private static let tolerance: Float = 1e-4

    /// - Parameters:
    ///   - opinions: on the flagged samples; class probabilities each.
    ///   - gauge: on ordinary samples, likewise.
    init(opinions: [ClassOpinion], gauge: [ClassOpinion], classes: Int) {
        let usual = Self.spread(of: gauge, beside: [Float](repeating: 1 / Float(classes), count: classes))
        // As if a sample of every class, on average, had been seen where it usually is: few samples prove no source.
        let belief = usual.map { $0 * Float(classes) }
        var ratios = [Float](repeating: 1, count: classes)
        for _ in 0..<Self.iterations {
            let adjusted = opinions.map { $0.weighted(by: ratios) }
            let next = zip(Self.spread(of: adjusted, beside: belief), usual).map { $0 / $1 }
            let change = zip(next, ratios).map { abs($0 - $1) }.max() ?? 0
            ratios = next
            if change < Self.tolerance { break }
        }
        self.ratios = ratios
    }

    /// Class probabilities in the light of where the samples come from.
    func adjusting(_ opinion: ClassOpinion) -> ClassOpinion { opinion.weighted(by: ratios) }

    /// The mean of `rows` and of what is believed beforehand, its sum being the number of samples that this is worth.
    private static func spread(of rows: [ClassOpinion], beside belief: [Float]) -> [Float] {
        let sum = rows.reduce(into: belief) { sum, row in
            row.forEach { label, share in sum[label] += share }
        }
        let total = max(sum.reduce(0, +), 1e-6)
        return sum.map { $0 / total }
    }
}
