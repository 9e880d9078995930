import API
import Foundation
import HTTPServer
import Testing

@Suite struct SystemRouteTests {
    @Test func readinessFollowsTheServicesState() async throws {
        try await withHarness { service in
            #expect(try await service.send(.get, "/healthz").status == 200)
            #expect(try await service.send(.get, "/readyz").status == 503)
            service.readiness.state = .ready
            let ready = try await service.send(.get, "/readyz")
            #expect(ready.status == 200)
            #expect(try ready.value("checks", "database") == "ok")
            service.readiness.state = .stopping
            #expect(try await service.send(.get, "/readyz").status == 503)
            #expect(try await service.send(.get, "/healthz").status == 200)
            #expect(try await service.send(.get, "/v1/version").value("version") == Release.version)
        }
    }

    @Test func readinessSeesAFullDisk() async throws {
        try await withHarness(freeSpaceFloor: 1 << 60) { service in
            service.readiness.state = .ready
            let answer = try await service.send(.get, "/readyz")
            #expect(answer.status == 503)
            #expect(try answer.value("checks", "disk") == "no room for uploads")
        }
    }

    @Test func metricsCountRequestsUploadsPhasesAndWorkers() async throws {
        try await withHarness { service in
            _ = try await service.finishedJob("purify", script: Script.purification)
            service.metrics.requestBegan()
            service.metrics.requestEnded(
                HTTPRequestRecord(
                    method: "GET", route: "/v1/jobs/{id}", status: 200, received: 0, sent: 7,
                    duration: .milliseconds(20)))
            let answer = try await service.send(.get, "/metrics")
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            let uploaded = Script.purification.utf8.count + Script.dataset.utf8.count
            let lines = Set(answer.text.split(separator: "\n").map(String.init))
            for line in [
                #"burn_http_requests_total{method="GET",route="/v1/jobs/{id}",status="200"} 1"#,
                #"burn_http_request_duration_seconds_bucket{method="GET",route="/v1/jobs/{id}",le="0.01"} 0"#,
                #"burn_http_request_duration_seconds_bucket{method="GET",route="/v1/jobs/{id}",le="0.05"} 1"#,
                #"burn_http_request_duration_seconds_bucket{method="GET",route="/v1/jobs/{id}",le="+Inf"} 1"#,
                "burn_http_requests_active 0", "burn_http_response_bytes_total 7",
                "burn_upload_bytes_total \(uploaded)",
                #"burn_job_phase_seconds_count{phase="detection"} 1"#,
                #"burn_job_phase_seconds_sum{phase="detection"} 1.5"#,
                #"burn_worker_exits_total{cause="finished"} 3"#, #"burn_jobs{state="succeeded"} 1"#,
                #"burn_jobs{state="queued"} 0"#,
            ] { #expect(lines.contains(line), "\(line)") }
            #expect(answer.text.contains("\nprocess_resident_memory_bytes "))
            #expect(answer.text.contains(#"burn_sqlite_seconds_count{operation="write"} "#))
            // Each family is announced once, before its samples.
            let families = answer.text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
            #expect(Set(families).count == families.count)
        }
    }

    @Test func unknownPathsAndMethodsAreProblems() async throws {
        try await withHarness { service in
            let path = try await service.send(.get, "/v2/models")
            #expect(path.status == 404)
            #expect(path.headers[.contentType] == "application/problem+json")
            let method = try await service.send(.put, "/v1/models")
            #expect(method.status == 405)
            #expect(method.headers[.allow]?.contains("POST") == true)
            #expect(try await service.send(.get, "/v1/models/..%2f..%2fetc").status == 404)
        }
    }
}
