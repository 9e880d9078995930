/// What a worker computes on.
public enum ComputeDevice: String, Codable, Hashable, Sendable, CaseIterable {
    case cpu
    /// The first CUDA GPU; a worker that finds none says so and ends.
    case cuda
    /// The same with convolutions in TF32: several times as fast, distances less exact.
    case cudaTF32 = "cuda-tf32"
    /// The first CUDA GPU where there is one, otherwise the processor.
    case auto
}
