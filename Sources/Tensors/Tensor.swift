import CTorch
import Support

/// A dense array on the compute device (the processor, or a GPU: `CUDA`), with automatic differentiation: a
/// reference to a libtorch tensor.
///
/// Everything that calls libtorch throws `TensorError`. Operations make new tensors (which may share memory
/// with the old one where PyTorch's do: `narrow`, `select`, `reshape`, `permute`, `detach`); names that end in
/// `InPlace` write. Dimensions may be negative, counted from the end.
///
///     let logits = try model.forward(images, mode: .inference)
///     let margin = try logits.amax([1]) - logits.mean([1])
///     let values = try margin.array(as: Float.self)
///
/// - Note: Sendable is sound for what does not write: libtorch counts references atomically and its
///   operators are safe to call at the same time on shared inputs. The `InPlace` methods write without a
///   lock, as in libtorch; a tensor they are called on must not be in use on another thread.
public final class Tensor: @unchecked Sendable {
    /// Owns one reference.
    package let handle: OpaquePointer

    /// Takes over a reference.
    package init(owning handle: OpaquePointer) {
        self.handle = handle
    }

    deinit { ct_tensor_release(handle) }

    /// Runs `body`, which gives back a new handle.
    static func make(
        _ name: String, _ body: (UnsafeMutablePointer<OpaquePointer?>) -> ct_status
    ) throws -> Tensor {
        var handle: OpaquePointer?
        try check(body(&handle), name)
        guard let handle else {
            throw TensorError(.failed, operatorName: name, message: "returned no tensor")
        }
        return Tensor(owning: handle)
    }
}

extension Tensor {
    public var type: ScalarType {
        // Tensors of other types cannot be made through this interface, except as a result of an operator
        // (complex numbers), where every further use throws; float32 is a harmless answer there.
        ScalarType(rawValue: ct_tensor_type(handle)) ?? .float32
    }

    /// Number of dimensions.
    public var rank: Int { Int(ct_tensor_dimensions(handle)) }

    public var shape: [Int] { (0..<Int64(rank)).map { Int(ct_tensor_size(handle, $0)) } }

    /// In elements.
    public var strides: [Int] { (0..<Int64(rank)).map { Int(ct_tensor_stride(handle, $0)) } }

    /// Number of elements.
    public var count: Int { Int(ct_tensor_count(handle)) }

    public var isContiguous: Bool { ct_tensor_is_contiguous(handle, 0) }

    public var isChannelsLast: Bool { rank == 4 && ct_tensor_is_contiguous(handle, 2) }

    public var requiresGradient: Bool { ct_tensor_requires_grad(handle) }

    /// Number of in-place writes so far.
    public var version: Int { Int(ct_tensor_version(handle)) }

    /// Whether both are views of the same memory.
    public func sharesStorage(with other: Tensor) -> Bool { ct_tensor_shares_storage(handle, other.handle) }

    /// Identifies the memory that this is a view of.
    package var storageIdentity: UInt { UInt(ct_tensor_storage(handle)) }

    /// The size of one dimension (may be negative); throws when out of range.
    public func size(_ dimension: Int) throws -> Int {
        let size = ct_tensor_size(handle, Int64(dimension < 0 ? dimension + rank : dimension))
        guard size >= 0 else {
            throw TensorError(
                .invalidArgument, operatorName: "size",
                message: "dimension \(dimension) is out of range for shape \(shape)")
        }
        return Int(size)
    }

    /// Marks a leaf for differentiation, or ends it. Returns self, for chaining.
    @discardableResult
    public func requiringGradient(_ value: Bool = true) throws -> Tensor {
        try check(ct_tensor_set_requires_grad(handle, value), "requires_grad")
        return self
    }
}

extension Tensor: CustomStringConvertible {
    public var description: String { "Tensor(\(type), \(shape))" }
}
