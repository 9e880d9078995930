import Execution
import ModelFormats
import Tensors

/// One kind of work on one batch, as the boundary analysis and the training loop do it.
struct Workload {
    enum Kind: String, Decodable {
        case forward
        case inputGradient = "input_gradient"
        case training
    }

    /// Runs once; the result is the logits, the gradient or the loss.
    let step: () throws -> Tensor

    init(_ kind: Kind, model path: String, reduced: Bool, batch: Tensor, labels: Tensor) throws {
        let file = try openModel(at: path)
        let model = try GraphModel(graph: file.graph, weights: file.weights, read: file.readWeight)
        model.allowReducedPrecision(reduced)
        let images = try batch.channelsLast()
        switch kind {
        case .forward:
            step = { try model.forward(images, mode: .inference, precision: .reduced) }
        case .inputGradient:
            step = {
                try model.inputGradient(images, precision: .reduced) { logits in
                    let top = try logits.topK(2, dimension: 1).values
                    return try (top.narrow(1, 0, 1) - top.narrow(1, 1, 1)).sum()
                }.gradient
            }
        case .training:
            let optimiser = try SGD(model.parameters, momentum: 0.9, weightDecay: 5e-4, nesterov: true)
            step = {
                let loss = try model.forward(images, mode: .training, precision: .reduced).crossEntropy(
                    labels)
                let gradients = try Autograd.gradients(of: loss, withRespectTo: model.parameters)
                try optimiser.step(gradients, learningRate: 1e-3)
                return try loss.detach()
            }
        }
    }
}
