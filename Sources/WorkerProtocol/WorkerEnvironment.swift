/// Environment variables of a worker that its native libraries read while they are loaded, before `main`.
public enum WorkerEnvironment {
    /// libgomp's threads that wait must sleep, not spin, and Arrow's jemalloc must start no thread, which the file access
    /// rules would not hold.
    public static let libraries = [
        "OMP_WAIT_POLICY": "PASSIVE", "JE_ARROW_MALLOC_CONF": "background_thread:false",
    ]
}
