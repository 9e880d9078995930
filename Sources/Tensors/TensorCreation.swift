import Support

extension Tensor {
    private static func create(
        _ name: String, _ overload: String = "", _ arguments: [OperatorArgument], _ type: ScalarType
    ) throws -> Tensor {
        try callOperator(name, overload, arguments + [.scalarType(type), .layout(0), .device])
    }

    public static func zeros(_ shape: [Int], type: ScalarType = .float32) throws -> Tensor {
        try create("aten::zeros", "", [.ints(shape)], type)
    }

    public static func ones(_ shape: [Int], type: ScalarType = .float32) throws -> Tensor {
        try create("aten::ones", "", [.ints(shape)], type)
    }

    public static func full(_ shape: [Int], _ value: Double, type: ScalarType = .float32) throws -> Tensor {
        try create("aten::full", "", [.ints(shape), .double(value)], type)
    }

    /// Memory as it comes; to be written before it is read.
    public static func empty(_ shape: [Int], type: ScalarType = .float32) throws -> Tensor {
        try create("aten::empty", "memory_format", [.ints(shape)], type)
    }

    /// 0, 1, ..., end - 1.
    public static func arange(_ end: Int, type: ScalarType = .int64) throws -> Tensor {
        try create("aten::arange", "", [.int(end)], type)
    }

    /// `count` values from `start` to `end`, both included.
    public static func linspace(_ start: Double, _ end: Double, count: Int) throws -> Tensor {
        try create("aten::linspace", "", [.double(start), .double(end), .int(count)], .float32)
    }

    public static func eye(_ size: Int, type: ScalarType = .float32) throws -> Tensor {
        try create("aten::eye", "", [.int(size)], type)
    }

    /// Standard normal.
    public static func randn(
        _ shape: [Int], generator: Generator, type: ScalarType = .float32
    ) throws -> Tensor {
        try create("aten::randn", "generator", [.ints(shape), .generator(generator)], type)
    }

    /// Uniform in [0, 1).
    public static func rand(
        _ shape: [Int], generator: Generator, type: ScalarType = .float32
    ) throws -> Tensor {
        try create("aten::rand", "generator", [.ints(shape), .generator(generator)], type)
    }

    /// Integers in [low, high).
    public static func randint(
        _ low: Int, _ high: Int, shape: [Int], generator: Generator
    ) throws -> Tensor {
        try create(
            "aten::randint", "low_generator",
            [.int(low), .int(high), .ints(shape), .generator(generator)], .int64)
    }

    /// A random order of 0, 1, ..., count - 1.
    public static func randperm(_ count: Int, generator: Generator) throws -> Tensor {
        try create("aten::randperm", "generator", [.int(count), .generator(generator)], .int64)
    }

    public func zerosLike() throws -> Tensor { try callOperator("aten::zeros_like", [.tensor(self)]) }
    public func onesLike() throws -> Tensor { try callOperator("aten::ones_like", [.tensor(self)]) }
    public func emptyLike() throws -> Tensor { try callOperator("aten::empty_like", [.tensor(self)]) }

    public func fullLike(_ value: Double) throws -> Tensor {
        try callOperator("aten::full_like", [.tensor(self), .double(value)])
    }

    /// Standard normal, of this shape and type.
    public func randnLike(generator: Generator) throws -> Tensor {
        try Tensor.randn(shape, generator: generator, type: type)
    }
}

func callOperator(_ name: String, _ arguments: [OperatorArgument]) throws -> Tensor {
    try callOperator(name, "", arguments)
}
