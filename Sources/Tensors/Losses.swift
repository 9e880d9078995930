import Support

extension Tensor {
    /// Cross entropy of logits (N, C) against class indices (int64, N): the mean, or with `weights` (N) the
    /// mean weighted per sample, sum(w * loss) / sum(w).
    ///
    /// `labelSmoothing` as in PyTorch: that share of the target is spread evenly over all classes.
    public func crossEntropy(
        _ labels: Tensor, weights: Tensor? = nil, labelSmoothing: Double = 0
    ) throws -> Tensor {
        guard let weights else { return try crossEntropy(labels, labelSmoothing, reduction: 1) }
        let losses = try crossEntropyPerSample(labels, labelSmoothing: labelSmoothing)
        return try (losses * weights).sum() / weights.sum()
    }

    /// The loss of every sample: (N).
    public func crossEntropyPerSample(_ labels: Tensor, labelSmoothing: Double = 0) throws -> Tensor {
        try crossEntropy(labels, labelSmoothing, reduction: 0)
    }

    private func crossEntropy(_ labels: Tensor, _ smoothing: Double, reduction: Int) throws -> Tensor {
        try callOperator(
            "aten::cross_entropy_loss", "",
            [.tensor(self), .tensor(labels), .none, .int(reduction), .int(-100), .double(smoothing)])
    }

    /// Cross entropy against class probabilities (N, C): the mean over samples.
    public func crossEntropy(probabilities: Tensor) throws -> Tensor {
        try -(logSoftmax(1) * probabilities).sum([1]).mean()
    }

    /// Jensen-Shannon divergence, in nats, of the rows of two (N, C) probability tensors: (N).
    public static func jensenShannon(_ p: Tensor, _ q: Tensor) throws -> Tensor {
        let middle = try ((p + q) * 0.5).clamp(1e-12, nil).log()
        let left = try (p * (p.clamp(1e-12, nil).log() - middle)).sum([1])
        let right = try (q * (q.clamp(1e-12, nil).log() - middle)).sum([1])
        return try ((left + right) * 0.5).clamp(0, nil)
    }
}
