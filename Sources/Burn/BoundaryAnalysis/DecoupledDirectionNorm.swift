import Execution
import Foundation
import Tensors

/// DDN: Rony et al., "Decoupling Direction and Norm for Efficient Gradient-Based L2 Adversarial Attacks and
/// Defenses", CVPR 2019, algorithm 1. Tighter than `BoundaryDescent`, at a fixed cost of `steps` gradients.
struct DecoupledDirectionNorm {
    let model: GraphModel
    let lowest: Tensor
    let highest: Tensor
    let token: CancellationToken?
    var steps = 40
    /// Factor by which the norm shrinks after a success and grows after a failure.
    let gamma = 0.05

    /// - Returns: The smallest perturbations found, `initial` where DDN finds none that is smaller, and the input
    ///   gradients taken: one of every sample a step.
    func refine(
        _ initial: Tensor, images: Tensor, predicted: [Int]
    ) throws -> (perturbations: Tensor, gradients: Int) {
        let own = try Tensor(predicted)
        func norms(_ x: Tensor) throws -> Tensor { try x.flatten(from: 1).norm([1]).clamp(1e-9, nil) }
        var best = initial
        var bestNorms = try norms(initial)
        var delta = initial
        var radius = bestNorms
        for step in 0..<steps {
            let (logits, gradient) = try model.inputGradient(images + delta, token: token) {
                try MarginObjective.runnerUp.value($0, own).sum()
            }
            let adversarial = try logits.argmax(1) .!= own
            let current = try norms(delta)
            let better = try adversarial & (current .< bestNorms)
            best = try better.perSample(rank: 4).choose(delta, best)
            bestNorms = try better.choose(current, bestNorms)
            // Cosine annealed direction step, then projection onto the sphere of the new radius.
            let alpha = 0.5 * (1 + cos(.pi * Double(step) / Double(steps)))
            let direction = try gradient / norms(gradient).perSample(rank: 4)
            let moved = try delta - direction * (radius.perSample(rank: 4) * alpha)
            radius = try radius * adversarial.choose(radius.fullLike(1 - gamma), radius.fullLike(1 + gamma))
            radius = try radius.minimum(bestNorms)
            let projected = try moved * (radius / norms(moved)).perSample(rank: 4)
            delta = try (images + projected).clamp(lowest, highest) - images
        }
        return (best, steps * predicted.count)
    }
}
