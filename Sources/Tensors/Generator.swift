import CTorch

/// A source of random numbers of its own (Mersenne twister): the same seed gives the same numbers.
///
/// - Note: Sendable is sound since libtorch locks a generator while it draws; two threads that share one
///   get numbers in an order that is not repeatable.
public final class Generator: @unchecked Sendable {
    let handle: OpaquePointer

    public init(seed: UInt64) throws {
        var handle: OpaquePointer?
        try Tensors.check(ct_generator_create(seed, &handle), "generator")
        guard let handle else {
            throw TensorError(.failed, operatorName: "generator", message: "returned no generator")
        }
        self.handle = handle
    }

    deinit { ct_generator_destroy(handle) }

    /// Seeds libtorch's own generator, which operators without a generator argument draw from.
    public static func seedDefault(_ seed: UInt64) throws {
        try Tensors.check(ct_seed_default_generator(seed), "manual_seed")
    }
}
