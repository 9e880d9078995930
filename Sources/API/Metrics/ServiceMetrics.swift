import HTTPServer
import Metrics
import Support

/// What the service counts, served at `/metrics`.
public final class ServiceMetrics: HTTPObserver, Sendable {
    private let registry = MetricsRegistry([
        MetricFamily("burn_http_requests_total", "HTTP requests answered.", .counter),
        MetricFamily(
            "burn_http_request_duration_seconds", "Seconds from a request's header to the end of its answer.",
            .histogram([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120])),
        MetricFamily("burn_http_requests_active", "Requests that are being served.", .gauge),
        MetricFamily(
            "burn_http_requests_refused_total", "HTTP requests refused before their route, by the gate.",
            .counter),
        MetricFamily("burn_http_response_bytes_total", "Bytes of response bodies sent.", .counter),
        MetricFamily("burn_upload_bytes_total", "Bytes of uploads written to disk.", .counter),
        MetricFamily(
            "burn_job_phase_seconds", "Seconds of finished phases.",
            .histogram([1, 5, 15, 60, 300, 900, 3600, 14_400])),
        MetricFamily("burn_worker_exits_total", "Worker processes ended, by cause.", .counter),
        MetricFamily(
            "burn_job_parts_total", "Parts of jobs that helpers were given, by what became of them.", .counter
        ),
        MetricFamily(
            "burn_sqlite_seconds", "Seconds of database accesses, with the wait for a connection.",
            .histogram([0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5])),
    ])
    private let active: Meter
    private let sentBytes, uploadedBytes: Counter
    private let connections = Mutex<(@Sendable () -> ConnectionStatistics)?>(nil)

    public init() {
        active = Meter(label: "burn_http_requests_active", factory: registry)
        sentBytes = Counter(label: "burn_http_response_bytes_total", factory: registry)
        uploadedBytes = Counter(label: "burn_upload_bytes_total", factory: registry)
    }

    /// What other modules count with.
    public var factory: any MetricsFactory { registry }

    /// Sets where the server's connections are looked up when the page is made.
    public func watch(_ read: @escaping @Sendable () -> ConnectionStatistics) {
        connections.withLock { $0 = read }
    }

    public func requestBegan() { active.increment() }

    public func requestEnded(_ record: HTTPRequestRecord) {
        active.decrement()
        let labels = [("method", record.method), ("route", record.route ?? "none")]
        Counter(
            label: "burn_http_requests_total", dimensions: labels + [("status", String(record.status))],
            factory: registry
        ).increment()
        Timer(label: "burn_http_request_duration_seconds", dimensions: labels, factory: registry)
            .record(duration: record.duration)
        sentBytes.increment(by: record.sent)
        if let stage = record.refusedBy {
            Counter(
                label: "burn_http_requests_refused_total", dimensions: [("stage", stage)], factory: registry
            ).increment()
        }
    }

    public func uploaded(bytes: Int) { uploadedBytes.increment(by: bytes) }

    /// The page, without what is asked of the stores at the time.
    func render() -> ExpositionPage {
        var page = ExpositionPage()
        registry.render(into: &page)
        connections.withLock({ $0 })?().render(into: &page)
        ProcessStatistics.render(into: &page)
        return page
    }
}
