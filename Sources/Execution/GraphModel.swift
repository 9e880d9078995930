import Graph
import Support
import Synchronization
import Tensors

/// A graph with its weights, ready to run.
///
///     let model = try GraphModel(graph: file.graph, weights: file.weights, read: file.readWeight)
///     let logits = try model.forward(images, mode: .inference)                    // (N, classes)
///
///     let x = try images.detach().requiringGradient()                             // input gradients
///     let z = try model.forward(x, mode: .evaluationWithGradient)
///     let g = try Autograd.gradient(of: objective(z), withRespectTo: x)
///
///     let loss = try model.forward(images, mode: .training).crossEntropy(labels)  // a training step
///     try optimiser.step(
///         Autograd.gradients(of: loss, withRespectTo: model.parameters), learningRate: 0.02)
///
/// Images are (N, C, H, W); batches in channels_last memory (as `Tensor.images` makes them) run fastest.
/// Forward passes may run at the same time on several threads, except in training mode and while weights are
/// being written.
public final class GraphModel: Sendable {
    public enum Mode: Hashable, Sendable, CaseIterable {
        /// Batch norm folded or from running statistics, no dropout, no gradients.
        case inference
        /// As inference, with gradients for the input only.
        case evaluationWithGradient
        /// Batch statistics, running statistics updated, dropout, gradients for the parameters.
        case training
    }

    public let graph: Graph
    /// Trained weights in the graph's order; leaves that require gradients.
    public let parameters: [Tensor]
    /// Draws dropout's masks.
    public let generator: Generator
    /// Of this model and the copies made of it.
    public let passes: PassCounter
    let permit: PrecisionPermit

    struct Weight: Sendable {
        var name: String
        var value: Graph.ValueID
        /// Requires a gradient if it is a floating-point parameter.
        var tensor: Tensor
        /// The same memory without a gradient.
        var detached: Tensor
    }

    let weights: [Weight]
    let image: Graph.ValueID
    let evaluation: ExecutionPlan
    let training: ExecutionPlan
    /// Memory that no in-place operator of the graph may write.
    let weightStorages: Set<UInt>
    /// Training passes so far: running statistics change without a trace in their version counters.
    let trainingPasses = Atomic<Int>(0)
    let foldCache = Mutex<FoldCache>(FoldCache())

    /// Weights by name, each of the shape and type that the file says; they are copied. `seed` is dropout's.
    public convenience init(graph: Graph, tensors: [String: Tensor], seed: UInt64 = 0) throws {
        try self.init(
            graph: graph, seed: seed,
            plans: (
                PlanBuilder.plan(graph, training: false), PlanBuilder.plan(graph, training: true)
            )
        ) { name in
            guard let tensor = tensors[name] else {
                throw Problem(
                    .unprocessable, code: "model-weight-missing", title: "The model lacks a weight",
                    detail: "the graph reads '\(name)', which is not among the model's weights",
                    location: name,
                    fix: "Export the model again, and compare the file's SHA-256 where it was copied.")
            }
            return try tensor.detach().clone()
        }
    }

    /// `read` gives a weight's elements in row-major order.
    public convenience init(
        graph: Graph, weights: [WeightLocation], seed: UInt64 = 0,
        read: (WeightLocation) throws -> [UInt8]
    ) throws {
        var tensors: [String: Tensor] = [:]
        for weight in weights {
            tensors[weight.name] = try read(weight).withUnsafeBytes {
                try Tensor(bytes: $0, type: weight.type, shape: weight.shape)
            }
        }
        try self.init(graph: graph, tensors: tensors, seed: seed)
    }

    private init(
        graph: Graph, seed: UInt64, plans: (evaluation: ExecutionPlan, training: ExecutionPlan),
        passes: PassCounter = PassCounter(), permit: PrecisionPermit = PrecisionPermit(),
        weight: (String) throws -> Tensor
    ) throws {
        var weights: [Weight] = []
        var images: [Graph.ValueID] = []
        for input in graph.inputs {
            switch input.kind {
            case .image: images.append(input.value)
            case .parameter(let name):
                let tensor = try Self.arranged(weight(name))
                let leaf = tensor.type.isFloatingPoint ? try tensor.requiringGradient() : tensor
                weights.append(
                    .init(name: name, value: input.value, tensor: leaf, detached: try leaf.detach()))
            case .buffer(let name), .constant(let name):
                let tensor = try Self.arranged(weight(name))
                weights.append(.init(name: name, value: input.value, tensor: tensor, detached: tensor))
            }
        }
        guard images.count == 1, let image = images.first else {
            throw Problem(
                .unprocessable, code: "model-inputs", title: "The model must take one batch of images",
                detail: "it has \(images.count) inputs that are not weights",
                fix: "Export the model again, and compare the file's SHA-256 where it was copied.")
        }
        self.graph = graph
        self.passes = passes
        self.permit = permit
        self.image = image
        self.weights = weights
        parameters = weights.map(\.tensor).filter(\.requiresGradient)
        evaluation = plans.evaluation
        training = plans.training
        weightStorages = Set(weights.map(\.tensor.storageIdentity))
        generator = try Generator(seed: seed)
    }

    /// Convolution kernels in channels_last memory, as the images they meet.
    private static func arranged(_ tensor: Tensor) throws -> Tensor {
        tensor.rank == 4 && tensor.type.isFloatingPoint ? try tensor.channelsLast() : tensor
    }

    /// An independent model with copies of all weights.
    public func copy(seed: UInt64 = 0) throws -> GraphModel {
        let byName = Dictionary(weights.map { ($0.name, $0.detached) }) { first, _ in first }
        return try GraphModel(
            graph: graph, seed: seed, plans: (evaluation, training), passes: passes, permit: permit
        ) { name in
            guard let tensor = byName[name] else {
                throw TensorError(.failed, operatorName: "copy", message: "no weight '\(name)'")
            }
            return try noGrad { try tensor.clone() }
        }
    }
}
