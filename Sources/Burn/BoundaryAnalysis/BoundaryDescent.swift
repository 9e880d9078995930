import Execution
import Tensors

/// Finds, for a batch of images, perturbations that carry each over the boundary of its predicted class.
///
/// Newton steps on the margin: with g the gradient of the objective, x moves against g by margin / ‖g‖, which
/// is the exact distance for a linear model (Moosavi-Dezfooli et al., "DeepFool", CVPR 2016, eq. 6). Each
/// sample stops at its first flip and leaves the batch; the crossing is then found on its last segment.
package struct BoundaryDescent {
    package let model: GraphModel
    /// Input box, broadcastable to a batch.
    package let lowest: Tensor
    package let highest: Tensor
    package let objective: MarginObjective
    package let token: CancellationToken?

    /// Beyond these a sample counts as out of reach, and its last position is the answer.
    package var maximumSteps = 16
    /// Forward passes spent on the exact crossing.
    package var refinements = 2
    /// Steps go this far beyond the linear estimate, so that a flip is a flip.
    package let overshoot = 0.02

    package struct Result {
        /// (N, C, H, W)
        package var perturbations: Tensor
        /// Class met on the other side, per sample.
        package var adversarialLabels: [Int]
        package var gradients: Int
    }

    /// Where a batch of samples is on its way.
    private struct Way {
        let predicted: Tensor
        /// The last position, and the one before it: (N, C, H, W), and their margins (N).
        let reached, before, reachedMargins, beforeMargins: Tensor
        /// Class met on the other side, per sample.
        var labels: [Int]
        var gradients = 0

        init(_ images: Tensor, _ predicted: [Int]) throws {
            self.predicted = try Tensor(predicted)
            labels = predicted
            (reached, before) = (try images.clone(), try images.clone())
            beforeMargins = try Tensor.ones([predicted.count])
            reachedMargins = try Tensor.zeros([predicted.count])
        }

        /// Keeps what the model says of `samples` where they are now.
        /// - Returns: their margins, and the places among `samples` of those that are still inside.
        mutating func arrived(_ samples: [Int], _ logits: Tensor) throws -> (margins: Tensor, inside: [Int]) {
            let rows = try Tensor(samples)
            let own = try predicted.indexSelect(0, rows)
            let margins = try MarginObjective.runnerUp.value(logits, own)
            try reachedMargins.indexCopyInPlace(0, rows, margins)
            let rivals: [Int] = try MarginObjective.others(logits, own).argmax(1).array()
            for (row, sample) in samples.enumerated() { labels[sample] = rivals[row] }
            let inside: [Bool] = try (margins .> 0).array()
            return (margins, inside.indices.filter { inside[$0] })
        }
    }

    package func run(_ images: Tensor, predicted: [Int]) throws -> Result {
        var way = try Way(images, predicted)
        // Where rounding hides what a step does, full precision goes on.
        let reduced = model.isReduced ? maximumSteps / 2 : 0
        let rest = reduced > 0 ? try short(&way, after: reduced) : Array(predicted.indices)
        _ = try descend(&way, rest, .full, steps: maximumSteps - reduced)
        let boundary = try crossing(
            from: way.before, way.beforeMargins, to: way.reached, way.reachedMargins, way.predicted)
        return Result(
            perturbations: try boundary - images, adversarialLabels: way.labels, gradients: way.gradients)
    }

    /// Takes the first steps in reduced precision.
    /// - Returns: the samples that are inside still: what is said of a crossing is said in full.
    private func short(_ way: inout Way, after steps: Int) throws -> [Int] {
        let inside = try descend(&way, Array(way.labels.indices), .reduced, steps: steps)
        let crossed = Set(way.labels.indices).subtracting(inside).sorted()
        guard !crossed.isEmpty else { return inside }
        let position = try way.reached.indexSelect(0, Tensor(crossed))
        let logits = try model.forward(position, mode: .inference, token: token)
        let back = try way.arrived(crossed, logits).inside.map { crossed[$0] }
        return (inside + back).sorted()
    }

    /// Steps until each of `samples` is over its boundary.
    /// - Returns: those that are not after the last step.
    private func descend(
        _ way: inout Way, _ samples: [Int], _ precision: Precision, steps: Int
    ) throws -> [Int] {
        var active = samples
        for step in 0...steps where !active.isEmpty {
            let rows = try Tensor(active)
            let own = try way.predicted.indexSelect(0, rows)
            let position = try way.reached.indexSelect(0, rows)
            let last = step == steps
            let (logits, gradient) =
                try last
                ? (model.forward(position, mode: .inference, token: token), position)
                : model.inputGradient(position, precision: precision, token: token) {
                    try objective.value($0, own).sum()
                }
            way.gradients += last ? 0 : active.count
            let (margins, remaining) = try way.arrived(active, logits)
            active = remaining.map { active[$0] }
            if active.isEmpty || last { break }
            let kept = try Tensor(remaining)
            let moved = try stepped(
                position.indexSelect(0, kept), gradient.indexSelect(0, kept), margins.indexSelect(0, kept))
            let target = try Tensor(active)
            try way.before.indexCopyInPlace(0, target, position.indexSelect(0, kept))
            try way.beforeMargins.indexCopyInPlace(0, target, margins.indexSelect(0, kept))
            try way.reached.indexCopyInPlace(0, target, moved)
        }
        return active
    }

    /// The position after a step, (N, C, H, W).
    func stepped(_ position: Tensor, _ gradient: Tensor, _ margins: Tensor) throws -> Tensor {
        let norms = try gradient.flatten(from: 1).norm([1]).clamp(1e-9, nil)
        var length = try margins / norms * (1 + overshoot) + 1e-5
        if objective == .meanLogit {
            // The margin says little of the distance along this objective's gradient: bounded steps.
            let span = try Double((highest - lowest).amax().item(as: Float.self))
            let unit = span * (Double(position.count / max(position.shape[0], 1)) / 3072).squareRoot()
            length = try length.clamp(0.02 * unit, 0.6 * unit)
        }
        let scale = try (length / norms).perSample(rank: 4)
        return try (position - gradient * scale).clamp(lowest, highest)
    }

    /// The crossing on the last segment, by the Illinois form of false position on the margin: exact at once
    /// where the margin is linear. Always a point that is in the other class.
    private func crossing(
        from inside: Tensor, _ insideMargins: Tensor, to outside: Tensor, _ outsideMargins: Tensor,
        _ predicted: Tensor
    ) throws -> Tensor {
        guard refinements > 0 else { return outside }
        let segment = try outside - inside
        var low = try insideMargins.zerosLike()
        var high = try insideMargins.onesLike()
        var lowMargins = try insideMargins.clamp(1e-6, nil)
        var highMargins = try outsideMargins.clamp(nil, -1e-6)
        for _ in 0..<refinements {
            // Aim a little beyond the estimate, so that the far side moves too.
            let estimate = try lowMargins / (lowMargins - highMargins)
            let middle = try low + (high - low) * (estimate * 1.01 + 1e-3).clamp(0, 1)
            let probe = try inside + segment * middle.perSample(rank: 4)
            let logits = try model.forward(probe, mode: .inference, token: token)
            let margins = try MarginObjective.runnerUp.value(logits, predicted)
            let flipped = try margins .<= 0
            high = try flipped.choose(middle, high)
            low = try flipped.choose(low, middle)
            highMargins = try flipped.choose(margins.clamp(nil, -1e-6), highMargins * 0.5)
            lowMargins = try flipped.choose(lowMargins * 0.5, margins.clamp(1e-6, nil))
        }
        return try inside + segment * high.perSample(rank: 4)
    }
}

extension BoundaryDescent {
    /// The descent whose length is the boundary distance: to the runner-up, and to the crossing itself.
    package static func nearest(
        model: GraphModel, images: LabelledImages, token: CancellationToken?
    ) -> BoundaryDescent {
        BoundaryDescent(
            model: model, lowest: images.lowest, highest: images.highest, objective: .runnerUp, token: token)
    }

    /// The descent whose direction and class met the analysis keeps: not biased to the runner-up, and stopped
    /// where it comes out.
    package static func unbiased(
        model: GraphModel, images: LabelledImages, token: CancellationToken?
    ) -> BoundaryDescent {
        var descent = BoundaryDescent(
            model: model, lowest: images.lowest, highest: images.highest, objective: .meanLogit, token: token)
        descent.refinements = 0
        return descent
    }
}
