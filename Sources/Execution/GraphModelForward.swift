import Graph
import Support
import Tensors

extension GraphModel {
    /// Logits (N, classes) for images (N, C, H, W).
    ///
    /// `token`, when given, stops the pass (and a later backward pass through it) with `CancellationError`.
    /// Throws `Problem` when the images do not fit the model or one of its operators fails.
    public func forward(
        _ images: Tensor, mode: Mode, precision: Precision = .full, token: CancellationToken? = nil
    ) throws -> Tensor {
        try run(images, mode: mode, precision, token: token).logits
    }

    /// Logits, and the penultimate activation as (N, features): what the last linear layer reads; for a
    /// convolutional head, the average of its input map. Nil when the graph has neither.
    public func forwardWithFeatures(
        _ images: Tensor, mode: Mode, precision: Precision = .full, token: CancellationToken? = nil
    ) throws -> (logits: Tensor, features: Tensor?) {
        try run(images, mode: mode, precision, token: token)
    }

    /// Logits and the gradient of `objective(logits)`, a scalar, with respect to the images.
    ///
    /// Both are free of the gradient's graph. With a sum over samples as the objective, row n of the gradient
    /// is sample n's own.
    public func inputGradient(
        _ images: Tensor, precision: Precision = .full, token: CancellationToken? = nil,
        objective: (Tensor) throws -> Tensor
    ) throws -> (logits: Tensor, gradient: Tensor) {
        try enableGrad {
            let input = try images.detach().requiringGradient()
            let logits = try forward(
                input, mode: .evaluationWithGradient, precision: precision, token: token)
            let gradient = try Autograd.gradient(of: objective(logits), withRespectTo: input)
            return (try logits.detach(), gradient)
        }
    }

    /// Whether passes that are asked for in reduced precision, of this model and its copies, are: not before this is called.
    package func allowReducedPrecision(_ allowed: Bool) {
        permit.give(allowed && evaluation.features != nil && ReducedPrecision.isPossible)
    }

    /// Whether they are.
    package var isReduced: Bool { permit.precision(.reduced) == .reduced }

    /// Bytes of its weights, as 32-bit numbers; saturates.
    package var weightBytes: Int {
        parameters.reduce(0) { Checked.sum($0, Checked.product($1.count, 4) ?? .max) ?? .max }
    }

    /// Bytes that the layers make of each of these images in a pass without batch norms of its own: about what a pass keeps for the
    /// gradient of the input. Training keeps up to twice as much.
    package func activationBytes(of images: Tensor) throws -> Int {
        try checkShape(images)
        return try noGrad {
            var executor = try executor(evaluation, images, nil, counts: true) { $0.detached }
            try executor.run()
            return executor.madeBytes / images.shape[0]
        }
    }

    private func run(
        _ images: Tensor, mode: Mode, _ asked: Precision, token: CancellationToken?
    ) throws -> (logits: Tensor, features: Tensor?) {
        try checkShape(images)
        defer { passes.add(images.shape[0], in: mode) }
        let precision = permit.precision(asked)
        switch mode {
        case .inference:
            return try noGrad { try execute(evaluation, images, precision, token) { $0.detached } }
        case .evaluationWithGradient:
            return try enableGrad { try execute(evaluation, images, precision, token) { $0.detached } }
        case .training:
            trainingPasses.add(1, ordering: .relaxed)
            defer { trainingPasses.add(1, ordering: .relaxed) }
            return try enableGrad { try execute(training, images, precision, token) { $0.tensor } }
        }
    }

    private func execute(
        _ plan: ExecutionPlan, _ images: Tensor, _ precision: Precision, _ token: CancellationToken?,
        weight: (Weight) -> Tensor
    ) throws -> (logits: Tensor, features: Tensor?) {
        try token?.check()
        var executor = try executor(plan, images, token, weight: weight)
        if precision == .reduced {
            for (value, tensor) in try reducedWeights(plan) { executor.set(value, tensor) }
        }
        try executor.run(precision)
        let logits = try executor.tensor(plan.output)
        guard let features = plan.features else { return (logits, nil) }
        var activation = try executor.tensor(features.value)
        if features.isMap, activation.rank == 4 { activation = try activation.mean([2, 3]) }
        if activation.rank > 2 { activation = try activation.flatten(from: 1) }
        return (logits, activation)
    }

    /// Ready to run, with the images and the weights in their places.
    private func executor(
        _ plan: ExecutionPlan, _ images: Tensor, _ token: CancellationToken?, counts: Bool = false,
        weight: (Weight) -> Tensor
    ) throws -> Executor {
        var input = images.type == graph.imageType ? images : try images.to(graph.imageType)
        if input.rank == 4 { input = try input.channelsLast() }
        var executor = Executor(
            plan: plan, generator: generator, token: token,
            protected: weightStorages.union([images.storageIdentity, input.storageIdentity]),
            counts: counts)
        executor.set(image, input)
        for entry in weights { executor.set(entry.value, weight(entry)) }
        for (fold, merged) in zip(plan.folds, try foldedWeights(plan)) {
            executor.set(fold.foldedWeight, merged.weight)
            executor.set(fold.foldedBias, merged.bias)
        }
        return executor
    }

    private func checkShape(_ images: Tensor) throws {
        let shape = images.shape
        let fits =
            shape.count == graph.imageShape.count
            && zip(shape, graph.imageShape).allSatisfy { $1 == nil || $0 == $1 }
        guard fits, images.count > 0 else {
            let expected = graph.imageShape.map { $0.map(String.init) ?? "N" }.joined(separator: ", ")
            throw Problem(
                .unprocessable, code: "image-shape", title: "The images do not fit the model",
                detail: "the model takes (\(expected)), given are \(shape)",
                fix: "Import the images at the size that the model takes: --resize HxW (resize=HxW).")
        }
    }
}
