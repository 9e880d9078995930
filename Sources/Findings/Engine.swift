import Support

/// The programs that worked out a verdict. The same inputs, options and seed give the same results with the same of
/// these; sums of floating-point numbers depend on all of them.
public struct Engine: Codable, Hashable, Sendable {
    /// The version of burn-worker, which is that of burnd.
    public var burn: String
    /// The version of libtorch.
    public var libtorch: String
    /// Such as `x86_64`.
    public var processor: String
    /// Intra-op threads.
    public var threads: Int

    public init(
        burn: String = Engine.release, libtorch: String, processor: String = Engine.architecture, threads: Int
    ) {
        self.burn = burn
        self.libtorch = libtorch
        self.processor = processor
        self.threads = threads
    }

    /// The version that these sources are.
    public static let release = EmbeddedRelease.version

    /// What this program was compiled for.
    public static let architecture: String = {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "aarch64"
        #else
            "other"
        #endif
    }()
}
