import Execution
import Tensors

/// Moves images away from their labels within an L-infinity ball.
///
/// Madry, Makelov, Schmidt, Tsipras and Vladu, "Towards Deep Learning Models Resistant to Adversarial
/// Attacks", ICLR 2018, arXiv:1706.06083, equation 2, from the image itself (no random start).
public struct ProjectedGradientDescent: Sendable {
    /// Radius and step, in input units per unit of the pixel range: (1, C, 1, 1).
    public var epsilon: Tensor
    public var step: Tensor
    public var steps: Int
    public var token: CancellationToken?

    public init(epsilon: Tensor, step: Tensor, steps: Int, token: CancellationToken? = nil) {
        self.epsilon = epsilon
        self.step = step
        self.steps = steps
        self.token = token
    }

    /// The images, (N, C, H, W), at the end of the ascent of the cross-entropy with `labels` (N).
    public func run(
        _ model: GraphModel, _ images: Tensor, labels: Tensor, lowest: Tensor, highest: Tensor
    ) throws -> Tensor {
        var position = images
        let low = try (images - epsilon).maximum(lowest)
        let high = try (images + epsilon).minimum(highest)
        for _ in 0..<steps {
            try token?.check()
            let input = try position.detach().requiringGradient()
            let logits = try model.forward(input, mode: .evaluationWithGradient, token: token)
            let gradient = try Autograd.gradient(of: logits.crossEntropy(labels), withRespectTo: input)
            position = try noGrad {
                try (position + gradient.sign() * step).maximum(low).minimum(high)
            }
        }
        return try position.detach()
    }
}
