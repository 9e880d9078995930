import Execution
import Tensors

extension GraphModel {
    /// Two classes are level where their logits differ by less than this share of the range of the sample's logits: the error
    /// that reduced precision makes is a few times smaller.
    private static var nearTie: Double { 0.1 }

    /// Logits as they are for full precision's order of the likeliest classes: samples whose two likeliest are nearly level in
    /// reduced precision are asked again.
    ///
    /// - Parameters:
    ///   - logits: (N, classes), of a pass in reduced precision.
    ///   - images: (N, C, H, W)
    func withoutNearTies(_ logits: Tensor, of images: Tensor, token: CancellationToken) throws -> Tensor {
        guard isReduced else { return logits }
        let margins = try MarginObjective.runnerUp.value(logits, logits.argmax(1))
        let range = try logits.amax([1]) - logits.amin([1])
        let level: [Bool] = try (margins .< range * Self.nearTie).array()
        let rows = level.indices.filter { level[$0] }
        guard !rows.isEmpty else { return logits }
        let chosen = try Tensor(rows)
        let exact = try forward(images.indexSelect(0, chosen), mode: .inference, token: token)
        let result = try logits.clone()
        try result.indexCopyInPlace(0, chosen, exact)
        return result
    }
}
