import CTorch

/// Products of bfloat16 numbers: 8 significant bits and float32's range. Sums are kept in float32.
public enum ReducedPrecision {
    /// Whether there are such passes on the compute device: the processor, fast or not.
    public static var isPossible: Bool { ct_computes_on_processor() }

    /// Whether the processor has instructions for them, which make passes about twice as fast.
    public static var isFast: Bool { ct_has_bfloat16_products() }
}

/// Runs `body` with the operands of convolutions and matrix products on this thread as bfloat16. Other operators take what
/// they are given.
public func withReducedPrecision<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    let before = ct_set_bfloat16_products(true)
    defer { _ = ct_set_bfloat16_products(before) }
    return try body()
}
