import CTorch
import Support
import Synchronization

/// One argument of an operator call.
public enum OperatorArgument: Sendable {
    /// The schema's default value.
    case defaultValue
    case none
    case tensor(Tensor)
    case tensors([Tensor])
    case optionalTensors([Tensor?])
    case int(Int)
    case ints([Int])
    case double(Double)
    case doubles([Double])
    case bool(Bool)
    case bools([Bool])
    case string(String)
    case scalarType(ScalarType)
    /// Raw `c10::MemoryFormat`: 0 contiguous, 1 preserve, 2 channels_last.
    case memoryFormat(Int8)
    /// Raw `c10::Layout`; only 0 (strided) is accepted.
    case layout(Int8)
    case device
    case generator(Generator)

    /// `none` for nil.
    public static func optional(_ tensor: Tensor?) -> OperatorArgument { tensor.map { .tensor($0) } ?? .none }
}

/// One result of an operator call; a list of tensors comes as several.
public enum OperatorResult: Sendable {
    case none
    case tensor(Tensor)
    case int(Int)
    case double(Double)
    case bool(Bool)
}

/// An ATen operator, found once and called through libtorch's dispatcher.
///
/// Arguments are checked against the operator's schema before the call, so that a malformed call throws.
///
/// - Note: Sendable is sound since the handle points to an entry of libtorch's operator table, which is
///   immutable and lives as long as the process.
public struct Operator: @unchecked Sendable, CustomStringConvertible {
    public let name: String
    public let overload: String
    /// In positional order, keyword-only arguments last.
    public let argumentNames: [String]
    /// For each argument, whether the operator writes into it.
    public let writtenArguments: [Bool]
    private let handle: OpaquePointer

    private static let known = Mutex<[String: Operator]>([:])

    /// Finds an operator such as `Operator("aten::add", "Tensor")`; throws when libtorch has none.
    public init(_ name: String, _ overload: String = "") throws {
        let key = overload.isEmpty ? name : name + "." + overload
        if let found = Self.known.withLock({ $0[key] }) {
            self = found
            return
        }
        var handle: OpaquePointer?
        try check(ct_operator_find(name, overload, &handle), key)
        guard let handle else {
            throw TensorError(.failed, operatorName: key, message: "has no handle")
        }
        self.name = name
        self.overload = overload
        self.handle = handle
        let indices = 0..<ct_operator_argument_count(handle)
        argumentNames = indices.map { index in
            ct_operator_argument_name(handle, index).map { String(cString: $0) } ?? ""
        }
        writtenArguments = indices.map { ct_operator_argument_is_written(handle, $0) }
        let entry = self
        Self.known.withLock { $0[key] = entry }
    }

    public var description: String { overload.isEmpty ? name : "\(name).\(overload)" }

    /// Calls the operator; arguments left out at the end take their defaults.
    ///
    /// With a `token`, a cancelled run throws `CancellationError` here, and from a backward pass through the
    /// results.
    public func callAsFunction(
        _ arguments: [OperatorArgument], token: CancellationToken? = nil
    ) throws -> [OperatorResult] {
        var call = PackedArguments(capacity: arguments.count)
        for argument in arguments { call.append(argument) }
        return try withExtendedLifetime((arguments, token)) {
            try call.run(handle, token: token?.handle, name: description)
        }
    }

    /// Calls an operator whose only result is a tensor.
    public func tensor(_ arguments: [OperatorArgument]) throws -> Tensor {
        try first(try callAsFunction(arguments))
    }

    func first(_ results: [OperatorResult]) throws -> Tensor {
        guard case .tensor(let tensor)? = results.first else {
            throw TensorError(.failed, operatorName: description, message: "returned no tensor")
        }
        return tensor
    }

    /// Calls an operator and gives back the tensors among its results.
    public func tensors(_ arguments: [OperatorArgument]) throws -> [Tensor] {
        try callAsFunction(arguments).compactMap {
            if case .tensor(let tensor) = $0 { tensor } else { nil }
        }
    }
}

/// Calls `name` with one tensor as the result; for code that has no method here yet.
///
///     let values = try callOperator("aten::cumsum", [.tensor(x), .int(0)])
public func callOperator(
    _ name: String, _ overload: String = "", _ arguments: [OperatorArgument]
) throws -> Tensor {
    try Operator(name, overload).tensor(arguments)
}
