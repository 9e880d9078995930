import Foundation

/// This process, under the names that Prometheus clients share.
enum ProcessStatistics {
    static func render(into page: inout ExpositionPage) {
        if let bytes = residentBytes() {
            page.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", Double(bytes))
        }
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
            page.gauge("process_open_fds", "Open file descriptors.", Double(open))
        }
        page.gauge(
            "process_start_time_seconds", "Start time of the process, in seconds since 1970.", startTime)
    }

    /// Set when the metrics are first used, which is when the service starts.
    private static let startTime = Date().timeIntervalSince1970.rounded()

    private static func residentBytes() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? Int(fields[1]).map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) } : nil
    }
}
