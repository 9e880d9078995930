import Findings
import Foundation
import HTTPServer
import JobQueue
import JobStore
import Support
import Workers

/// What the service counts, served at `/metrics`.
public final class ServiceMetrics: HTTPObserver, JobQueueObserver, DatabaseObserver {
    private let requests = Counter(
        "burn_http_requests_total", "HTTP requests answered.", labels: ["method", "route", "status"])
    private let durations = Histogram(
        "burn_http_request_duration_seconds", "Seconds from a request's header to the end of its answer.",
        labels: ["method", "route"], bounds: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120])
    private let refusals = Counter(
        "burn_http_requests_refused_total", "HTTP requests refused before their route, by the gate.",
        labels: ["stage"])
    private let sentBytes = Counter("burn_http_response_bytes_total", "Bytes of response bodies sent.")
    private let uploadedBytes = Counter("burn_upload_bytes_total", "Bytes of uploads written to disk.")
    private let phases = Histogram(
        "burn_job_phase_seconds", "Seconds of finished phases.", labels: ["phase"],
        bounds: [1, 5, 15, 60, 300, 900, 3600, 14_400])
    private let workerExits = Counter(
        "burn_worker_exits_total", "Worker processes ended, by cause.", labels: ["cause"])
    private let database = Histogram(
        "burn_sqlite_seconds", "Seconds of database accesses, with the wait for a connection.",
        labels: ["operation"], bounds: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5])
    private let active = Mutex(0)
    private let connections = Mutex<(@Sendable () -> ConnectionStatistics)?>(nil)

    public init() {}

    /// Sets where the server's connections are looked up when the page is made.
    public func watch(_ read: @escaping @Sendable () -> ConnectionStatistics) {
        connections.withLock { $0 = read }
    }

    public func requestBegan() { active.withLock { $0 += 1 } }

    public func requestEnded(_ record: HTTPRequestRecord) {
        active.withLock { $0 -= 1 }
        let route = record.route ?? "none"
        requests.add(1, record.method, route, String(record.status))
        durations.observe(Self.seconds(record.duration), record.method, route)
        sentBytes.add(Double(record.sent))
        if let stage = record.refusedBy { refusals.add(1, stage) }
    }

    public func uploaded(bytes: Int) { uploadedBytes.add(Double(bytes)) }

    public func phaseFinished(_ phase: Phase, seconds: Double) { phases.observe(seconds, phase.rawValue) }

    public func databaseTook(_ seconds: Double, operation: String) { database.observe(seconds, operation) }

    public func workerEnded(_ exit: WorkerExit) {
        let cause =
            switch exit {
            case .finished: "finished"
            case .failed: "failed"
            case .cancelled: "cancelled"
            case .crashed(let signal, _): "signal_\(signal)"
            case .outOfMemory: "out_of_memory"
            case .memoryExceeded: "memory_limit"
            case .timeExceeded: "time_limit"
            case .hung: "hung"
            case .exited: "exited"
            case .broken: "protocol"
            case .notStarted: "not_started"
            case .receiverFailed: "not_stored"
            }
        workerExits.add(1, cause)
    }

    /// The page, without what is asked of the stores at the time.
    func render() -> ExpositionPage {
        var page = ExpositionPage()
        requests.render(into: &page)
        durations.render(into: &page)
        page.gauge(
            "burn_http_requests_active", "Requests that are being served.", Double(active.withLock { $0 }))
        refusals.render(into: &page)
        if let connections = connections.withLock({ $0 })?() { connections.render(into: &page) }
        sentBytes.render(into: &page)
        uploadedBytes.render(into: &page)
        phases.render(into: &page)
        workerExits.render(into: &page)
        database.render(into: &page)
        ProcessStatistics.render(into: &page)
        return page
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}

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
