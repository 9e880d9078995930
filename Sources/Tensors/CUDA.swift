import CTorch

/// The first CUDA GPU, through the CUDA half of libtorch where the installed one has it.
///
/// It is the device of the whole process or not at all: tensors are made on it, and values come back when they are
/// read. Sums are repeatable where libtorch has a repeatable form.
public enum CUDA {
    /// Loads the driver and the libraries: before the process confines itself. Throws where they are missing.
    public static func load() throws { try check(ct_cuda_load(), "cuda") }

    /// Computes on the GPU from here on: before the first tensor is made. Gives its name, such as "cuda:0"; throws
    /// where none can be used.
    /// - Parameter tf32: convolutions read 10 bits of their inputs' mantissas in place of 23.
    public static func use(tf32: Bool) throws -> String {
        var name: UnsafeMutablePointer<CChar>?
        try check(ct_cuda_use(tf32, &name), "cuda")
        defer { ct_free(name) }
        return name.map { String(cString: $0) } ?? ""
    }
}
