#if BURN_TSAN
    import Glibc

    /// Stands in for `_Concurrency.CheckedContinuation` in builds for the thread sanitizer. A task that finds its
    /// continuation resumed already goes on without an announcement, in a library that is not instrumented: what was
    /// done before it was resumed would count as a race with what comes after.
    public struct CheckedContinuation<Value, Failure: Error>: Sendable {
        fileprivate let wrapped: _Concurrency.CheckedContinuation<Value, Failure>
        /// Locked before the hand-over and after it. Of a number, since what has no size shares its place with the lock.
        fileprivate let handOver: Mutex<Int>

        public func resume(with result: sending Result<Value, Failure>) {
            handOver.withLock { _ in }
            wrapped.resume(with: result)
        }

        public func resume(returning value: sending Value) { resume(with: .success(value)) }
        public func resume(throwing error: Failure) { resume(with: .failure(error)) }
        public func resume() where Value == Void { resume(with: .success(())) }
    }

    public func withCheckedContinuation<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: (CheckedContinuation<Value, Never>) -> Void
    ) async -> sending Value {
        let handOver = Mutex(0)
        let value = await _Concurrency.withCheckedContinuation(isolation: isolation) {
            body(CheckedContinuation(wrapped: $0, handOver: handOver))
        }
        handOver.withLock { _ in }
        return value
    }

    public func withCheckedThrowingContinuation<Value>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (CheckedContinuation<Value, any Error>) -> Void
    ) async throws -> sending Value {
        let handOver = Mutex(0)
        defer { handOver.withLock { _ in } }
        return try await _Concurrency.withCheckedThrowingContinuation(isolation: isolation) {
            body(CheckedContinuation(wrapped: $0, handOver: handOver))
        }
    }
#endif
