import Foundation
import Support
import Testing

/// A real service process, real sockets, a real model file; workers that follow a script.
@Suite struct ServiceTests {
    private static let imports = ServiceProcess.imports
    private static let purification =
        imports + """
            [job]
            phase boundary_analysis
            samples 2500
            verdict
            phase detection
            evaluation
            artifact model.pt2 PURIFIED-MODEL
            phase refinement
            finished
            """

    @Test func theMainJobRunsOverHTTP() throws {
        let service = try ServiceProcess(script: Self.purification)
        let bytes = try Data(contentsOf: ServiceProcess.model)
        let digest = Data(Digest.sha256(bytes)).base64EncodedString()
        let upload = try service.post(
            "/v1/models?name=small.pt2", "Content-Digest: sha-256=:\(digest):", "Prefer: wait=20", body: bytes
        )
        #expect(upload.status == 201, "\(upload.text)")
        #expect(try upload.json["state"] as? String == "ready")
        #expect(upload.headers["location"] == "/v1/models/\(try upload.id)")

        let path = "/v1/models/\(try upload.id)/content"
        let part = try service.get(path, "Range: bytes=10-19")
        #expect(part.status == 206)
        #expect(part.body == bytes[10..<20])
        #expect(part.headers["content-range"] == "bytes 10-19/\(bytes.count)")
        let etag = try #require(part.headers["etag"])
        #expect(try service.get(path, "If-None-Match: \(etag)").status == 304)
        #expect(try service.get(path, "Range: bytes=\(bytes.count)-").status == 416)
        let head = try service.get(path, method: "HEAD")
        #expect(head.status == 200 && head.headers["content-length"] == "\(bytes.count)")

        let job = try service.startJob()
        let done = try service.get("/v1/jobs/\(job)", "Prefer: wait=30")
        #expect(try done.json["state"] as? String == "succeeded", "\(done.text)")
        let model = try service.get("/v1/jobs/\(job)/model")
        #expect(model.text == "PURIFIED-MODEL")
        #expect(model.headers["content-disposition"]?.contains("small-purified.pt2") == true)
        let csv = try service.get("/v1/jobs/\(job)/samples", "Accept: text/csv")
        #expect(csv.headers["transfer-encoding"] == "chunked")
        #expect(csv.text.components(separatedBy: "\r\n").count == 2502)
        #expect(try service.get("/v1/jobs/\(job)/labels").status == 200)
        let metrics = try service.get("/metrics").text
        #expect(
            metrics.contains(#"burn_http_requests_total{method="POST",route="/v1/models",status="201"} 2"#))
        #expect(service.stop(SIGTERM) == 0)
    }

    @Test func eventsResumeWhereTheClientLeftOff() throws {
        let service = try ServiceProcess(
            script: Self.imports + "[job]\nphase boundary_analysis\nverdict\nwait\n")
        let job = try service.startJob()
        func follow(from last: Int?, until isLast: (String) -> Bool) throws -> [Int] {
            let client = try service.client()
            let resume = last.map { "Last-Event-ID: \($0)\r\n" } ?? ""
            client.send(
                "GET /v1/jobs/\(job)/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\(resume)\r\n"
            )
            let head = try client.head()
            #expect(head.status == 200 && head.headers["content-type"] == "text/event-stream; charset=utf-8")
            var ids: [Int] = []
            while case let bytes = try client.chunk(), !bytes.isEmpty {
                let text = String(decoding: bytes, as: UTF8.self)
                ids += text.split(separator: "\n").filter { $0.hasPrefix("id: ") }.compactMap {
                    Int($0.dropFirst(4))
                }
                if isLast(text) { break }
            }
            return ids
        }
        let first = try follow(from: nil) { $0.contains("event: verdict") }
        #expect(try service.post("/v1/jobs/\(job)/cancel").status == 202)
        let second = try follow(from: first.last) { _ in false }
        let all = try follow(from: nil) { _ in false }
        #expect(!second.isEmpty)
        #expect(first + second == all)
        #expect(try service.get("/v1/jobs/\(job)").json["state"] as? String == "cancelled")
    }

    @Test func whatIsCertainBeforeTheVerdictIsThereAtOnce() throws {
        let service = try ServiceProcess(
            script: Self.imports + "[job]\nphase boundary_analysis\npreliminary\nwait\n")
        let id = try service.startJob()
        try service.wait(for: id) { $0["preliminary"] is [String: Any] }
        let job = try service.get("/v1/jobs/\(id)").json
        let certain = try #require(job["preliminary"] as? [String: Any])
        #expect(certain["result"] as? String == "backdoored" && certain["names"] as? [String] == ["a"])
        #expect(certain["target_classes"] as? [Int] == [0])
        #expect(job["verdict"] is NSNull && job["state"] as? String == "running")
        let told = try #require(try service.events(of: id).first { $0.type == "preliminary" })
        #expect(told.data["target_classes"] as? [Int] == [0])
        // The next attempt has to find it again; then it outlives the job's end without a verdict.
        #expect(service.stop(SIGKILL) == -SIGKILL)
        try service.start()
        try service.wait(for: id) { $0["attempt"] as? Int == 2 && $0["preliminary"] is [String: Any] }
        #expect(try service.events(of: id).count { $0.type == "preliminary" } == 2)
        #expect(try service.post("/v1/jobs/\(id)/cancel").status == 202)
        let ended = try service.ended(id)
        #expect(ended["state"] as? String == "cancelled" && ended["preliminary"] is [String: Any])
    }

    @Test func aJobOutlivesItsServersDeath() throws {
        let service = try ServiceProcess(
            script: Self.imports
                + "[job]\nphase boundary_analysis\nwait-once\nsamples 10\nverdict\nfinished\n")
        let job = try service.startJob("scan")
        try waitForAPhase(job, service)
        #expect(service.stop(SIGKILL) == -SIGKILL)
        try service.start()
        let done = try service.get("/v1/jobs/\(job)", "Prefer: wait=30").json
        #expect(done["state"] as? String == "succeeded")
        #expect(done["attempt"] as? Int == 2)
        let phases = try service.get("/v1/jobs/\(job)/metrics").json["phases"] as? [Any]
        #expect(phases?.count == 1)
    }

    private func waitForAPhase(_ job: String, _ service: ServiceProcess) throws {
        while (try service.get("/v1/jobs/\(job)/metrics").json["phases"] as? [Any])?.isEmpty != false {
            usleep(20_000)
        }
    }

    @Test func stoppingLeavesARunningJobForTheNextStart() throws {
        let service = try ServiceProcess(
            script: Self.imports
                + "[job]\nphase boundary_analysis\nwait-once\nsamples 10\nverdict\nfinished\n")
        let job = try service.startJob("scan")
        try waitForAPhase(job, service)
        #expect(service.stop(SIGTERM) == 0)
        try service.start()
        #expect(try service.get("/v1/jobs/\(job)", "Prefer: wait=30").json["state"] as? String == "succeeded")
    }

    @Test func aLargeUploadNeedsLittleMemory() throws {
        let service = try ServiceProcess(script: Self.imports)
        let size = 256 << 20
        let client = try service.client()
        client.send(
            "POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=20\r\nContent-Length: \(size)\r\n\r\n"
        )
        client.send([UInt8](ServiceProcess.archive.prefix(3)) + [UInt8](repeating: 0, count: (1 << 20) - 3))
        let block = [UInt8](repeating: 7, count: 1 << 20)
        for _ in 1..<(size >> 20) { #expect(client.send(block)) }
        let reply = try client.reply()
        #expect(reply.status == 201)
        #expect(try reply.json["bytes"] as? Int == size)
        // The high-water mark of the whole life of the process.
        let status = try String(contentsOfFile: "/proc/\(service.identifier)/status", encoding: .utf8)
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let kibibytes = try #require(peak?.split(separator: " ").compactMap { Int($0) }.first)
        #expect(kibibytes < 64 << 10, "VmHWM \(kibibytes) KiB")
    }

    @Test func aSecondServiceOnTheSameDataIsRefused() throws {
        let service = try ServiceProcess(script: Self.imports)
        let second = Process()
        second.executableURL = ServiceProcess.programs.appending(path: "burnd")
        second.arguments = [
            "serve", "--listen", "127.0.0.1:0", "--data", service.folder.path + "/data", "--worker",
            service.folder.path + "/worker",
        ]
        second.standardError = FileHandle.nullDevice
        second.standardOutput = FileHandle.nullDevice
        try second.run()
        second.waitUntilExit()
        #expect(second.terminationStatus == 1)
        #expect(try service.get("/healthz").status == 200)
    }
}
