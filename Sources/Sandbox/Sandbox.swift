import CLinux
import Foundation
import Support
import WorkerProtocol

/// Confines the process that calls it, for good.
public enum Sandbox {
    /// What the machine is asked while native libraries set themselves up, and where they find each other.
    private static let systemFiles = [
        "/sys/devices/system/cpu", "/sys/devices/system/node", "/proc/cpuinfo", "/proc/meminfo",
        "/proc/sys/vm/overcommit_memory", "/dev/urandom", "/dev/random", "/dev/null", "/etc/localtime",
        "/usr/share/zoneinfo", "/usr/lib/locale", "/usr/share/locale",
        // How many processors a container may use.
        "/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "/sys/fs/cgroup/cpuset/cpuset.cpus",
    ]

    /// The first step, at once after the start: no new privileges, no core dump, an end with the parent.
    public static func giveUpPrivileges() throws {
        try check(burn_give_up_privileges(), "no-new-privileges, core limit and parent-death signal")
    }

    /// Limits, file access rules and the system call filter. The process must still have one thread.
    /// - Parameters:
    ///   - readable: Files and folders that stay readable, beside the loaded libraries' folders.
    ///   - writable: Folders that stay readable and writable.
    /// - Throws: `Problem` `worker-confinement`; in mode `.preferred` not for what the kernel lacks.
    public static func enter(
        _ confinement: WorkerConfinement, readable: [String], writable: [String]
    ) throws {
        try limit(confinement)
        guard confinement.mode != .off else { return }
        // Threads that run already would not be held by the file access rules.
        let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
        try check(threads == 1 ? 0 : EBUSY, "file access rules with \(threads) threads")
        if burn_landlock_abi() > 0 {
            let readable = systemFiles + libraryFolders() + ownFiles + readable
            try withStrings(readable) { readable in
                try withStrings(writable) { writable in
                    try check(
                        burn_landlock(readable, readable.count, writable, writable.count),
                        "file access rules for \(readable.count + writable.count) paths")
                }
            }
        } else if confinement.mode == .required {
            try check(ENOSYS, "file access rules (landlock)")
        }
        if burn_seccomp_available() != 0 {
            try check(burn_seccomp(), "system call filter")
        } else if confinement.mode == .required {
            try check(ENOSYS, "system call filter (seccomp)")
        }
    }

    private static func limit(_ confinement: WorkerConfinement) throws {
        let cores = ProcessInfo.processInfo.processorCount
        var limits = burn_limits()
        limits.open_files = 256
        // Of the user, not of the process: enough for several workers on a large machine.
        limits.processes = 16_384
        // All cores for the whole time, and a minute for the supervisor to be first.
        limits.cpu_seconds = UInt64(clamping: confinement.seconds.map { ($0 + 60) * cores } ?? 0)
        limits.file_bytes = UInt64(clamping: confinement.fileBytes ?? 0)
        limits.data_bytes = UInt64(clamping: confinement.memoryBytes.map { dataBytes(memory: $0) } ?? 0)
        try check(burn_limit(&limits), "resource limits")
    }

    /// A worker's private mappings may be a quarter and a GiB larger than the memory that it may fill: the
    /// supervisor, who counts what is filled, says more clearly what happened. This holds where one
    /// allocation is so large that the supervisor would be too late.
    static func dataBytes(memory: Int) -> Int {
        let (sum, overflow) = memory.addingReportingOverflow(memory / 4 + (1 << 30))
        return overflow ? 0 : sum
    }

    /// Single files: the folders of threads (`task`) hold the machine's mounts and network too.
    private static var ownFiles: [String] {
        ["maps", "stat", "statm", "status"].map { "/proc/self/\($0)" }
    }

    /// Folders of the shared libraries that are loaded: some load their neighbours when first used.
    private static func libraryFolders() -> [String] {
        let folders = LoadedLibraries.paths().map {
            URL(fileURLWithPath: $0).deletingLastPathComponent().standardizedFileURL.path
        }
        return Set(folders).subtracting(["/", ""]).sorted()
    }

    /// The pointers live until the body returns; the kernel keeps none.
    private static func withStrings<Result>(
        _ strings: [String], _ body: ([UnsafePointer<CChar>?]) throws -> Result
    ) rethrows -> Result {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return try body(copies.map { UnsafePointer($0) })
    }

    private static func check(_ code: Int32, _ step: String) throws {
        guard code != 0 else { return }
        throw Problem(
            .internal, code: "worker-confinement", title: "The worker could not confine itself",
            detail: "\(step): \(String(cString: strerror(code)))",
            fix: "Where this machine cannot confine workers, set sandbox: off.")
    }
}
