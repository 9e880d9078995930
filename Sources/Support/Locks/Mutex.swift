#if BURN_TSAN
    import Glibc

    /// Stands in for `Synchronization.Mutex` in builds for the thread sanitizer, which does not see that one: its
    /// futex lives in a library that is not instrumented, so everything it guards would count as a race.
    ///
    /// Unchecked: the value is only touched with the lock held.
    public final class Mutex<Value>: @unchecked Sendable {
        private var value: Value
        private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

        public init(_ value: consuming Value) {
            self.value = value
            pthread_mutex_init(lock, nil)
        }

        deinit {
            pthread_mutex_destroy(lock)
            lock.deallocate()
        }

        public func withLock<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result)
            throws(Failure) -> Result
        {
            pthread_mutex_lock(lock)
            defer { pthread_mutex_unlock(lock) }
            return try body(&value)
        }
    }
#else
    import Synchronization

    /// The standard library's lock. The server's modules take it from here, so that a build for the thread sanitizer
    /// can put another in its place.
    public typealias Mutex<Value: ~Copyable> = Synchronization.Mutex<Value>
#endif
