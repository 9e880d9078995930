import Support

/// Stochastic gradient descent with momentum, as `torch.optim.SGD`.
///
///     let optimiser = try SGD(model.parameters, momentum: 0.9, weightDecay: 5e-4, nesterov: true)
///     let loss = try model.forward(images, mode: .training).crossEntropy(labels)
///     let gradients = try Autograd.gradients(of: loss, withRespectTo: model.parameters)
///     try optimiser.step(gradients, learningRate: schedule.learningRate(step: i))
///
/// Not Sendable: one training loop owns it.
public final class SGD {
    public let parameters: [Tensor]
    public let momentum: Double
    public let weightDecay: Double
    public let nesterov: Bool
    private var buffers: [Tensor]

    /// Throws when `nesterov` is asked for without momentum, and for parameters that are not floating point.
    public init(
        _ parameters: [Tensor], momentum: Double = 0, weightDecay: Double = 0, nesterov: Bool = false
    ) throws {
        guard !nesterov || momentum > 0 else {
            throw TensorError(
                .invalidArgument, operatorName: "SGD", message: "Nesterov momentum needs a momentum above 0")
        }
        guard parameters.allSatisfy(\.type.isFloatingPoint) else {
            throw TensorError(
                .invalidArgument, operatorName: "SGD", message: "parameters must be floating point")
        }
        self.parameters = parameters
        self.momentum = momentum
        self.weightDecay = weightDecay
        self.nesterov = nesterov
        buffers = momentum == 0 ? [] : try parameters.map { try $0.detach().zerosLike() }
    }

    /// One step along `gradients` (one per parameter; nil leaves its parameter as it is only while its
    /// momentum is zero: such parameters are skipped).
    public func step(_ gradients: [Tensor?], learningRate: Double) throws {
        guard gradients.count == parameters.count else {
            throw TensorError(
                .invalidArgument, operatorName: "SGD",
                message: "\(parameters.count) parameters, \(gradients.count) gradients")
        }
        let used = gradients.indices.filter { gradients[$0] != nil }
        guard !used.isEmpty else { return }
        // The fused kernel walks raw memory: all of a parameter's tensors must be laid out alike.
        let matching = try used.map { index in
            try Self.laidOut(gradients[index] ?? parameters[index], like: parameters[index])
        }
        try noGrad {
            _ = try Operator("aten::_fused_sgd_")([
                .tensors(used.map { parameters[$0] }), .tensors(matching),
                .tensors(momentum == 0 ? [] : used.map { buffers[$0] }), .double(weightDecay),
                .double(momentum), .double(learningRate), .double(0), .bool(nesterov), .bool(false),
                .bool(false),
            ])
        }
    }

    private static func laidOut(_ gradient: Tensor, like parameter: Tensor) throws -> Tensor {
        guard gradient.shape == parameter.shape else {
            throw TensorError(
                .invalidArgument, operatorName: "SGD",
                message: "gradient of shape \(gradient.shape) for a parameter of \(parameter.shape)")
        }
        if gradient.strides == parameter.strides, gradient.type == parameter.type { return gradient }
        let copy = try parameter.detach().emptyLike()
        try copy.copyInPlace(gradient.detach())
        return copy
    }
}
