import Support
import Synchronization

/// Samples that went through a model, by what was asked of it.
public struct Passes: Hashable, Sendable {
    /// Logits alone.
    public var forwards = 0
    /// Logits and the gradient of the input.
    public var gradients = 0
    /// Logits and the gradients of the weights.
    public var trainingSamples = 0

    public init(forwards: Int = 0, gradients: Int = 0, trainingSamples: Int = 0) {
        self.forwards = forwards
        self.gradients = gradients
        self.trainingSamples = trainingSamples
    }

    /// A gradient and a sample of training in forwards: what convolutional networks take, measured and by operations.
    public static let gradientInForwards = 2.0
    public static let trainingInForwards = 3.35

    /// The same work as so many forwards.
    public var inForwards: Double {
        Double(forwards) + Self.gradientInForwards * Double(gradients)
            + Self.trainingInForwards * Double(trainingSamples)
    }

    public static func + (one: Passes, other: Passes) -> Passes {
        Passes(
            forwards: one.forwards + other.forwards, gradients: one.gradients + other.gradients,
            trainingSamples: one.trainingSamples + other.trainingSamples)
    }

    public static func - (one: Passes, other: Passes) -> Passes {
        Passes(
            forwards: one.forwards - other.forwards, gradients: one.gradients - other.gradients,
            trainingSamples: one.trainingSamples - other.trainingSamples)
    }
}

/// Counts the passes of a model and its copies: the work done, whatever it was for.
public final class PassCounter: Sendable {
    private let passes = Mutex(Passes())
    private let listener = Mutex<(@Sendable (Passes) -> Void)?>(nil)

    public init() {}

    public var count: Passes { passes.withLock { $0 } }

    /// Tells `listener` of all passes while `body` runs, on the threads that work.
    public func following<Result>(
        _ listener: @escaping @Sendable (_ passes: Passes) -> Void, _ body: () throws -> Result
    ) rethrows -> Result {
        self.listener.withLock { $0 = listener }
        defer { self.listener.withLock { $0 = nil } }
        return try body()
    }

    func add(_ samples: Int, in mode: GraphModel.Mode) {
        let added =
            switch mode {
            case .inference: Passes(forwards: samples)
            case .evaluationWithGradient: Passes(gradients: samples)
            case .training: Passes(trainingSamples: samples)
            }
        add(added)
    }

    /// Counts passes that were made elsewhere, for the same work.
    public func add(_ added: Passes) {
        passes.withLock { $0 = $0 + added }
        listener.withLock { $0 }?(added)
    }
}
