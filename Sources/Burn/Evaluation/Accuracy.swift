import Execution
import Findings
import Tensors

/// How often predictions are what they should be, 0 to 1.
public enum Accuracy {
    /// Clean accuracy: predictions equal to the labels.
    public static func clean(predictions: [Int], labels: [Int]) -> Double {
        share(zip(predictions, labels).map { $0 == $1 })
    }

    /// Attack success rate and robust accuracy on triggered images of other classes than the target.
    ///
    /// `labels` are the true ones. With `target` nil the attack is all-to-all: label y counts as attacked when
    /// it is predicted as y + 1 modulo `classes` (Gu et al., "BadNets", 2017, section 4.2).
    public static func triggered(
        predictions: [Int], labels: [Int], target: Int?, classes: Int
    ) -> (asr: Double, ra: Double) {
        let pairs = zip(predictions, labels).filter { target == nil || $0.1 != target }
        return (
            share(pairs.map { $0.0 == target ?? ($0.1 + 1) % classes }),
            share(pairs.map { $0.0 == $0.1 })
        )
    }

    private static func share(_ hits: [Bool]) -> Double {
        hits.isEmpty ? 0 : Double(hits.count(where: { $0 })) / Double(hits.count)
    }
}

extension GraphModel {
    /// Softmax probabilities of samples by index: (indices.count, classes).
    public func probabilities(
        _ images: LabelledImages, _ indices: [Int], batch: Int? = nil, token: CancellationToken? = nil
    ) throws -> Tensor {
        let batch = batch ?? images.batches.together(atMost: 256)
        return try probabilities(count: indices.count, batch: batch, token: token) { range in
            try images.batch(Array(indices[range]))
        }
    }

    /// Softmax probabilities of images that `images` makes for a range of positions: (count, classes).
    public func probabilities(
        count: Int, batch: Int, token: CancellationToken? = nil, images: (Range<Int>) throws -> Tensor
    ) throws -> Tensor {
        guard count > 0 else { return try Tensor.zeros([0, graph.classes]) }
        let parts = try stride(from: 0, to: count, by: batch).map { start in
            let range = start..<min(start + batch, count)
            return try forward(images(range), mode: .inference, token: token).softmax(1)
        }
        return try Tensor.cat(parts)
    }

    /// Predicted outputs of samples by index, with the confidence (largest probability) of each.
    ///
    /// A model whose outputs are probabilities already (not negative, with the sum 1) is taken at its word.
    public func answers(
        _ images: LabelledImages, _ indices: [Int], token: CancellationToken? = nil,
        progress: (_ asked: Int) -> Void = { _ in }
    ) throws -> (predictions: [Int], confidence: [Double]) {
        var (predictions, confidence): ([Int], [Float]) = ([], [])
        for part in images.parts(of: indices) {
            let outputs = try forward(images.batch(part), mode: .inference, token: token)
            predictions += try outputs.argmax(1).array()
            let sums: [Float] = try outputs.sum([1]).array()
            let areProbabilities =
                try outputs.amin([0, 1]).item(as: Float.self) >= 0 && sums.allSatisfy { abs($0 - 1) < 1e-3 }
            confidence += try (areProbabilities ? outputs : outputs.softmax(1)).amax([1]).array()
            progress(part.count)
        }
        return (predictions, confidence.map(Double.init))
    }

    /// Predicted outputs of samples by index, or of all.
    public func predictions(
        _ images: LabelledImages, _ indices: [Int]? = nil, token: CancellationToken? = nil,
        progress: (Double) -> Void = { _ in }
    ) throws -> [Int] {
        let indices = indices ?? Array(0..<images.count)
        var predictions: [Int] = []
        for part in images.parts(of: indices) {
            predictions += try forward(images.batch(part), mode: .inference, token: token).argmax(1).array()
            progress(Double(predictions.count) / Double(indices.count))
        }
        return predictions
    }
}
