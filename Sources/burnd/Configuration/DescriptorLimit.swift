import Glibc

/// Every connection, upload and worker needs file descriptors, and the usual soft limit is 1024.
enum DescriptorLimit {
    /// Raises the soft limit to the hard one, at most to `most`.
    /// - Returns: the limit that holds now.
    @discardableResult
    static func raise(to most: UInt = 65_536) -> UInt {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        let wanted = min(limit.rlim_max, most)
        if limit.rlim_cur < wanted {
            limit.rlim_cur = wanted
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return limit.rlim_cur
    }
}
