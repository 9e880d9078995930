import Tensors

/// Per-value mean, variance and kurtosis of many images, gathered in two passes.
package struct Moments: Sendable {
    /// (C, H, W) each.
    package var mean: Tensor
    package var variance: Tensor
    /// 3 for a normal distribution; 1 where all images are alike.
    package var kurtosis: Tensor
    package var count: Int

    package init(mean: Tensor, variance: Tensor, kurtosis: Tensor, count: Int) {
        self.mean = mean
        self.variance = variance
        self.kurtosis = kurtosis
        self.count = count
    }

    /// `weights`: how much each sample counts; nil for all alike.
    package init(_ images: LabelledImages, _ indices: [Int], weights: [Double]? = nil) throws {
        let total = weights?.reduce(0, +) ?? Double(indices.count)
        let shape = images.shape
        /// The weighted sums of what a batch, (n, C, H, W), is made into.
        func averages(_ count: Int, _ values: (Tensor) throws -> [Tensor]) throws -> [Tensor] {
            var sums = try (0..<count).map { _ in try Tensor.zeros(shape) }
            for positions in images.parts(of: Array(indices.indices), atMost: 512) {
                let weight = try Tensor(positions.map { Float(weights?[$0] ?? 1) }).perSample(rank: 4)
                for (place, value) in try values(images.batch(positions.map { indices[$0] })).enumerated() {
                    sums[place] = try sums[place] + (value * weight).sum([0])
                }
            }
            return try sums.map { try $0 / max(total, 1e-9) }
        }
        let centre = try averages(1) { [$0] }[0]
        let powers = try averages(2) {
            let squares = try ($0 - centre).square()
            return [squares, try squares.square()]
        }
        (mean, variance) = (centre, powers[0])
        kurtosis = try (powers[1] / powers[0].square().clamp(1e-12, nil)).clamp(1, nil)
        // Kish's effective sample size, so that unequal weights do not pretend to be more samples.
        let squared = weights.map { $0.reduce(0) { $0 + $1 * $1 } } ?? total
        count = max(1, Int(total * total / max(squared, 1e-9)))
    }

    package func deviation() throws -> Tensor { try variance.sqrt() }
}
