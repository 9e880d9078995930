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

    /// Logits, and each sample's gradient of the mean-logit objective of the class that it is predicted as: in reduced precision,
    /// but for samples that this would take for another class.
    func surveyed(
        _ images: Tensor, _ precision: Precision = .reduced, token: CancellationToken
    ) throws -> (logits: Tensor, gradient: Tensor) {
        func look(_ images: Tensor, _ precision: Precision) throws -> (logits: Tensor, gradient: Tensor) {
            try inputGradient(images, precision: precision, token: token) {
                try MarginObjective.meanLogit.value($0, $0.argmax(1)).sum()
            }
        }
        let (seen, gradient) = try look(images, precision)
        guard precision == .reduced, isReduced else { return (seen, gradient) }
        let logits = try withoutNearTies(seen, of: images, token: token)
        let (before, after): ([Int], [Int]) = (try seen.argmax(1).array(), try logits.argmax(1).array())
        let other = before.indices.filter { before[$0] != after[$0] }
        guard !other.isEmpty else { return (logits, gradient) }
        let rows = try Tensor(other)
        let result = try gradient.clone()
        try result.indexCopyInPlace(0, rows, look(images.indexSelect(0, rows), .full).gradient)
        return (logits, result)
    }
}
