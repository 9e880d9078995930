import CTorch

/// Stops a run softly: operators called with the token throw `CancellationError` once it is cancelled, and
/// so does a backward pass through their results.
///
/// - Note: Sendable is sound since the flag behind the handle is atomic.
public final class CancellationToken: @unchecked Sendable {
    let handle: OpaquePointer

    public init() throws {
        guard let handle = ct_token_create() else {
            throw TensorError(.outOfMemory, operatorName: "token", message: "out of memory")
        }
        self.handle = handle
    }

    deinit { ct_token_destroy(handle) }

    public func cancel() { ct_token_cancel(handle) }

    public var isCancelled: Bool { ct_token_is_cancelled(handle) }

    /// Throws `CancellationError` when cancelled.
    public func check() throws {
        if isCancelled { throw CancellationError() }
    }
}
