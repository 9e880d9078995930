import HTTPServer
import Metrics
import Testing

@testable import API

/// The page as scrapers know it: names, help, labels, buckets, and what is there before anything was counted.
@Suite struct MetricsPageTests {
    /// Without what differs from run to run.
    private func page(_ metrics: ServiceMetrics) -> [Substring] {
        metrics.render().text.split(separator: "\n").filter { !$0.contains("process_") }
    }

    @Test func nothingWasCounted() {
        let expected = """
            # HELP burn_http_requests_total HTTP requests answered.
            # TYPE burn_http_requests_total counter
            # HELP burn_http_request_duration_seconds Seconds from a request's header to the end of its answer.
            # TYPE burn_http_request_duration_seconds histogram
            # HELP burn_http_requests_active Requests that are being served.
            # TYPE burn_http_requests_active gauge
            burn_http_requests_active 0
            # HELP burn_http_requests_refused_total HTTP requests refused before their route, by the gate.
            # TYPE burn_http_requests_refused_total counter
            # HELP burn_http_response_bytes_total Bytes of response bodies sent.
            # TYPE burn_http_response_bytes_total counter
            burn_http_response_bytes_total 0
            # HELP burn_upload_bytes_total Bytes of uploads written to disk.
            # TYPE burn_upload_bytes_total counter
            burn_upload_bytes_total 0
            # HELP burn_job_phase_seconds Seconds of finished phases.
            # TYPE burn_job_phase_seconds histogram
            # HELP burn_worker_exits_total Worker processes ended, by cause.
            # TYPE burn_worker_exits_total counter
            # HELP burn_job_parts_total Parts of jobs that helpers were given, by what became of them.
            # TYPE burn_job_parts_total counter
            # HELP burn_sqlite_seconds Seconds of database accesses, with the wait for a connection.
            # TYPE burn_sqlite_seconds histogram
            """
        #expect(page(ServiceMetrics()) == expected.split(separator: "\n"))
    }

    @Test func countersAndBucketsOfEachSeries() {
        let metrics = ServiceMetrics()
        metrics.watch { ConnectionStatistics(open: 3, eventStreams: 1, rejected: 2) }
        metrics.requestBegan()
        for (route, status, refusal) in [
            ("/v1/jobs", 200, nil), ("/v1/jobs", 421, "host"), (nil, 404, nil), ("a\"b\\c\nd", 200, nil),
        ] {
            metrics.requestBegan()
            metrics.requestEnded(
                HTTPRequestRecord(
                    method: "GET", route: route, status: status, received: 0, sent: 10,
                    duration: .milliseconds(250), refusedBy: refusal))
        }
        metrics.uploaded(bytes: 5)
        let labels = [("phase", "detection")]
        for seconds in [0.5, 60, 1e6] {
            Timer(label: "burn_job_phase_seconds", dimensions: labels, factory: metrics.factory)
                .recordSeconds(seconds)
        }
        let lines = page(metrics)
        let requests = #"burn_http_requests_total{method="GET",route="#
        for line in [
            requests + #""/v1/jobs",status="200"} 1"#, requests + #""/v1/jobs",status="421"} 1"#,
            requests + #""none",status="404"} 1"#, requests + #""a\"b\\c\nd",status="200"} 1"#,
            #"burn_http_request_duration_seconds_bucket{method="GET",route="/v1/jobs",le="0.1"} 0"#,
            #"burn_http_request_duration_seconds_bucket{method="GET",route="/v1/jobs",le="0.5"} 2"#,
            #"burn_http_request_duration_seconds_sum{method="GET",route="/v1/jobs"} 0.5"#,
            "burn_http_requests_active 1", #"burn_http_requests_refused_total{stage="host"} 1"#,
            "burn_http_response_bytes_total 40", "burn_upload_bytes_total 5",
            "burn_http_connections 3", "burn_http_event_streams 1", "burn_http_connections_rejected_total 2",
        ] { #expect(lines.contains(line[...]), "\(line)") }
        let phases = lines.filter { $0.hasPrefix("burn_job_phase_seconds") }
        #expect(
            phases
                == """
                burn_job_phase_seconds_bucket{phase="detection",le="1"} 1
                burn_job_phase_seconds_bucket{phase="detection",le="5"} 1
                burn_job_phase_seconds_bucket{phase="detection",le="15"} 1
                burn_job_phase_seconds_bucket{phase="detection",le="60"} 2
                burn_job_phase_seconds_bucket{phase="detection",le="300"} 2
                burn_job_phase_seconds_bucket{phase="detection",le="900"} 2
                burn_job_phase_seconds_bucket{phase="detection",le="3600"} 2
                burn_job_phase_seconds_bucket{phase="detection",le="14400"} 2
                burn_job_phase_seconds_bucket{phase="detection",le="+Inf"} 3
                burn_job_phase_seconds_sum{phase="detection"} 1000060.5
                burn_job_phase_seconds_count{phase="detection"} 3
                """.split(separator: "\n"))
    }

    /// A module may count what nobody declared.
    @Test func anUnknownNameIsShownAsWhatItIs() {
        let metrics = ServiceMetrics()
        Counter(label: "other_total", dimensions: [("a", "b")], factory: metrics.factory).increment(by: 7)
        Gauge(label: "other", factory: metrics.factory).record(2.5)
        let lines = page(metrics)
        #expect(
            lines.suffix(6) == [
                "# HELP other_total ", "# TYPE other_total counter", #"other_total{a="b"} 7"#,
                "# HELP other ",
                "# TYPE other gauge", "other 2.5",
            ])
    }
}
