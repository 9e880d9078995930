import CTorch

/// Derivatives of what was computed with gradients enabled (the default).
public enum Autograd {
    /// Gradients of a scalar with respect to `inputs`: shapes as the inputs'. An input that `output` does not
    /// depend on throws.
    public static func gradients(
        of output: Tensor, withRespectTo inputs: [Tensor], keepGraph: Bool = false, createGraph: Bool = false
    ) throws -> [Tensor] {
        try gradients(
            of: [output], weightedBy: [nil], withRespectTo: inputs, keepGraph: keepGraph,
            createGraph: createGraph)
    }

    /// Gradient of a scalar with respect to one tensor.
    public static func gradient(
        of output: Tensor, withRespectTo input: Tensor, keepGraph: Bool = false
    ) throws -> Tensor {
        try gradients(of: output, withRespectTo: [input], keepGraph: keepGraph)[0]
    }

    /// Vector-Jacobian products: gradients of sum(outputs[i] * weights[i]). A weight has its output's shape;
    /// nil is allowed for scalars.
    public static func gradients(
        of outputs: [Tensor], weightedBy weights: [Tensor?], withRespectTo inputs: [Tensor],
        keepGraph: Bool = false, createGraph: Bool = false
    ) throws -> [Tensor] {
        let found = try gradientsIfUsed(
            of: outputs, weightedBy: weights, withRespectTo: inputs, keepGraph: keepGraph,
            createGraph: createGraph)
        return try found.enumerated().map { index, gradient in
            guard let gradient else {
                throw TensorError(
                    .failed, operatorName: "grad", message: "the output does not depend on input \(index)")
            }
            return gradient
        }
    }

    /// As `gradients`, with nil for inputs that the outputs do not depend on.
    public static func gradientsIfUsed(
        of outputs: [Tensor], weightedBy weights: [Tensor?], withRespectTo inputs: [Tensor],
        keepGraph: Bool = false, createGraph: Bool = false
    ) throws -> [Tensor?] {
        guard weights.count == outputs.count else {
            throw TensorError(
                .invalidArgument, operatorName: "grad",
                message: "\(outputs.count) outputs need as many weights, not \(weights.count)")
        }
        var results = [OpaquePointer?](repeating: nil, count: inputs.count)
        let status = withExtendedLifetime((outputs, weights, inputs)) {
            ct_gradients(
                outputs.map { $0.handle }, weights.map { $0?.handle }, outputs.count,
                inputs.map { $0.handle }, inputs.count, keepGraph, createGraph, &results)
        }
        try check(status, "grad")
        return results.map { $0.map(Tensor.init(owning:)) }
    }

    /// Accumulates the gradients of a scalar into the leaves that require them (`Tensor.gradient`).
    public static func backward(_ output: Tensor, keepGraph: Bool = false) throws {
        let none: [OpaquePointer?] = [nil]
        let status = withExtendedLifetime(output) { ct_backward([output.handle], none, 1, keepGraph) }
        try check(status, "backward")
    }

    /// Whether operators on this thread record gradients.
    public static var isEnabled: Bool { ct_grad_mode() }
}

/// Runs `body` without recording gradients on this thread.
public func noGrad<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    try withGradientMode(false, body)
}

/// Runs `body` with gradients recorded on this thread.
public func enableGrad<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result
{
    try withGradientMode(true, body)
}

private func withGradientMode<Result, Failure: Error>(
    _ enabled: Bool, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    let before = ct_grad_mode()
    ct_set_grad_mode(enabled)
    defer { ct_set_grad_mode(before) }
    return try body()
}

/// Runs `body` in libtorch's inference mode: slightly faster than `noGrad`, and the tensors made in it can
/// never take part in a gradient.
public func inferenceMode<Result>(_ body: () throws -> Result) throws -> Result {
    var guardHandle: UnsafeMutableRawPointer?
    try check(ct_inference_mode_enter(&guardHandle), "inference_mode")
    defer { ct_inference_mode_leave(guardHandle) }
    return try body()
}

extension Tensor {
    /// What `Autograd.backward` accumulated; nil before.
    public var gradient: Tensor? {
        get throws {
            var result: OpaquePointer?
            try check(ct_tensor_grad(handle, &result), "grad")
            return result.map(Tensor.init(owning:))
        }
    }

    public func clearGradient() throws { try check(ct_tensor_clear_grad(handle), "grad") }
}
