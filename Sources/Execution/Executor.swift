import Graph
import Support
import Tensors

/// One pass through a plan: the values so far, each let go as soon as no later step reads it.
struct Executor {
    private enum Slot {
        case empty
        case tensor(Tensor)
        case int(Int)
    }

    private let plan: ExecutionPlan
    private let generator: Generator
    private let token: CancellationToken?
    private let protected: Set<UInt>
    private var slots: [Slot]
    /// Bytes of what the steps have made, each memory counted once; kept up where it is asked for.
    private(set) var madeBytes = 0
    private let counts: Bool

    init(
        plan: ExecutionPlan, generator: Generator, token: CancellationToken?, protected: Set<UInt>,
        counts: Bool = false
    ) {
        self.counts = counts
        self.plan = plan
        self.generator = generator
        self.token = token
        self.protected = protected
        slots = [Slot](repeating: .empty, count: plan.slotCount)
    }

    mutating func set(_ value: Graph.ValueID, _ tensor: Tensor) { slots[value] = .tensor(tensor) }

    func tensor(_ value: Graph.ValueID) throws -> Tensor {
        guard slots.indices.contains(value), case .tensor(let tensor) = slots[value] else {
            throw TensorError(.failed, operatorName: "graph", message: "value \(value) is not a tensor")
        }
        return tensor
    }

    private func int(_ value: Graph.SymbolicInt) throws -> Int {
        switch value {
        case .known(let value): return Int(value)
        case .computed(let value):
            guard slots.indices.contains(value), case .int(let number) = slots[value] else {
                throw TensorError(
                    .failed, operatorName: "graph", message: "value \(value) is not an integer")
            }
            return number
        }
    }

    /// - Parameter precision: `reduced`: what is before the last layer.
    mutating func run(_ precision: Precision = .full) throws {
        let head = precision == .reduced ? plan.features?.head ?? 0 : 0
        if head > 0 {
            try withReducedPrecision { try run(plan.steps[..<head]) }
            try widen()
        }
        try run(plan.steps[head...])
    }

    /// What is kept for the last layer becomes float32.
    private mutating func widen() throws {
        for (value, slot) in slots.enumerated() {
            if case .tensor(let tensor) = slot, tensor.type == .bfloat16,
                !plan.productWeights.contains(value)
            {
                slots[value] = .tensor(try tensor.to(.float32))
            }
        }
    }

    private mutating func run(_ steps: ArraySlice<ExecutionPlan.Step>) throws {
        for step in steps {
            do {
                try run(step)
            } catch let error as TensorError {
                throw Problem(
                    error.kind == .outOfMemory ? .internal : .unprocessable,
                    code: error.kind == .outOfMemory
                        ? Problem.MemoryCode.failed.rawValue : "model-operator-failed",
                    title: error.kind == .outOfMemory
                        ? "Not enough memory to run the model" : "An operator of the model failed",
                    detail: error.description, location: step.name,
                    fix: error.kind == .outOfMemory
                        ? "Take a machine with more memory, smaller images, or a smaller model."
                        : "Run the model in PyTorch on two grey images of this size; export it again once that works."
                )
            }
            for value in step.released { slots[value] = .empty }
        }
    }

    private mutating func run(_ step: ExecutionPlan.Step) throws {
        let results: [OperatorResult]
        switch step.action {
        case .call(let op, let arguments):
            for value in step.written { try protect(value) }
            results = try op(arguments.map(argument), token: token)
        case .dropout(let input, let p, let wholeChannels):
            results = [.tensor(try dropout(tensor(input), p, wholeChannels: wholeChannels))]
        case .size(let input, let dimension):
            results = [.int(try tensor(input).size(dimension))]
        case .arithmetic(let operation, let a, let b):
            results = [.int(try compute(operation, int(a), int(b)))]
        }
        guard results.count >= step.outputs.count else {
            throw TensorError(
                .failed, operatorName: step.name,
                message: "gave \(results.count) results where the graph names \(step.outputs.count)")
        }
        for (value, result) in zip(step.outputs, results) {
            guard let value else { continue }
            switch result {
            case .tensor(let tensor):
                if counts { count(tensor) }
                slots[value] = .tensor(tensor)
            case .int(let number): slots[value] = .int(number)
            case .none, .double, .bool:
                throw TensorError(
                    .failed, operatorName: step.name, message: "gave a result that is no tensor")
            }
        }
    }

    /// What lies in memory that some value has is no new one: views, and what is written in place.
    private mutating func count(_ made: Tensor) {
        let memory = made.storageIdentity
        let isKnown =
            protected.contains(memory)
            || slots.contains {
                if case .tensor(let tensor) = $0 { tensor.storageIdentity == memory } else { false }
            }
        if !isKnown { madeBytes += made.count * made.type.byteCount }
    }

    private func argument(_ argument: ExecutionPlan.Argument) throws -> OperatorArgument {
        switch argument {
        case .constant(let value): return value
        case .value(let value):
            if slots.indices.contains(value), case .int(let number) = slots[value] { return .int(number) }
            return .tensor(try tensor(value))
        case .values(let values): return .tensors(try values.map(tensor))
        case .optionalValues(let values):
            return .optionalTensors(try values.map { try $0.map(tensor) })
        case .ints(let values): return .ints(try values.map(int))
        }
    }

    /// Puts a copy in the place of a value that an in-place operator is about to write, when its memory is a
    /// weight's or the caller's.
    private mutating func protect(_ value: Graph.ValueID) throws {
        let original = try tensor(value)
        if protected.contains(original.storageIdentity) { slots[value] = .tensor(try original.clone()) }
    }

    private func dropout(_ input: Tensor, _ p: Double, wholeChannels: Bool) throws -> Tensor {
        try token?.check()
        let mask = try noGrad {
            let mask =
                wholeChannels
                ? try Tensor.empty(
                    Array(input.shape.prefix(2)) + [Int](repeating: 1, count: max(input.rank - 2, 0)),
                    type: input.type)
                : try input.detach().emptyLike()
            try mask.bernoulliInPlace(1 - p, generator: generator)
            if p < 1 { try mask.multiplyInPlace(1 / (1 - p)) }
            return mask
        }
        return try input * mask
    }

    private func compute(_ operation: ExecutionPlan.Arithmetic, _ a: Int, _ b: Int) throws -> Int {
        let result: (partialValue: Int, overflow: Bool)
        switch operation {
        case .add: result = a.addingReportingOverflow(b)
        case .subtract: result = a.subtractingReportingOverflow(b)
        case .multiply: result = a.multipliedReportingOverflow(by: b)
        case .floorDivide:
            let quotient = a.dividedReportingOverflow(by: b)
            // Swift rounds towards zero, the graph's operator downwards.
            let isBelow = !quotient.overflow && a % b != 0 && (a < 0) != (b < 0)
            result = isBelow ? quotient.partialValue.subtractingReportingOverflow(1) : quotient
        }
        guard !result.overflow else {
            throw TensorError(
                .invalidArgument, operatorName: operation.rawValue,
                message: "the sizes \(a) and \(b) overflow or divide by zero")
        }
        return result.partialValue
    }
}
