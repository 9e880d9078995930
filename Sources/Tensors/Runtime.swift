import CTorch

/// Threads that operators called from the current thread use.
public enum Threads {
    public static var current: Int { Int(ct_threads()) }

    /// Sets the number for the calling thread alone; throws below 1.
    public static func setCurrent(_ count: Int) throws {
        try check(ct_set_threads(Int32(clamping: count)), "set_num_threads")
    }

    /// Size of the pool for independent operators; before its first use only.
    public static func setInterop(_ count: Int) throws {
        try check(ct_set_interop_threads(Int32(clamping: count)), "set_num_interop_threads")
    }
}

/// The libtorch that was loaded.
public enum LibTorch {
    /// The version whose headers this program was compiled with.
    public static var compiledVersion: String { String(cString: ct_compiled_version()) }

    /// The version that was found at run time.
    public static func runtimeVersion() throws -> String {
        var version: UnsafeMutablePointer<CChar>?
        try check(ct_runtime_version(&version), "version")
        defer { ct_free(version) }
        return version.map { String(cString: $0) } ?? ""
    }

    /// Throws when the two versions differ: the C++ interface is not stable between releases.
    public static func checkVersion() throws {
        let found = try runtimeVersion()
        guard found == compiledVersion else {
            throw TensorError(
                .failed, operatorName: "libtorch",
                message: "found version \(found), compiled against \(compiledVersion)")
        }
    }
}
