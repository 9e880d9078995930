import Foundation
import RawHTTP
import Testing

/// The service below a path of a host that others share.
@Suite struct BasePathTests {
    private static let script =
        ServiceProcess.imports + """
            [job]
            phase boundary_analysis
            samples 5
            verdict
            phase detection
            evaluation
            artifact model.pt2 PURIFIED-MODEL
            phase refinement
            finished

            """

    /// Every text below `links` and `images` members, at any depth.
    private static func links(in value: Any) -> [String] {
        if let list = value as? [Any] { return list.flatMap { links(in: $0) } }
        guard let object = value as? [String: Any] else { return [] }
        return object.flatMap { name, value in
            guard name == "links", let found = value as? [String: String] else { return links(in: value) }
            return Array(found.values)
        }
    }

    @Test func everyAddressOfAJobsWayLeadsBelowThePath() throws {
        let service = try ServiceProcess(script: Self.script, settings: ["BURND_BASE_PATH": "/tools/burn/"])
        let base = "/tools/burn"
        let json = "Content-Type: application/json"
        let model = try service.post(
            "\(base)/v1/models?name=a.pt2", "Prefer: wait=20", body: Data(contentsOf: ServiceProcess.model))
        let dataset = try service.post(
            "\(base)/v1/datasets", "Prefer: wait=20", body: ServiceProcess.archive)
        #expect(model.headers["location"] == "\(base)/v1/models/\(try model.id)")
        #expect(dataset.headers["location"] == "\(base)/v1/datasets/\(try dataset.id)")
        let body = #"{"type": "purify", "model": "\#(try model.id)", "dataset": "\#(try dataset.id)"}"#
        let job = try service.post("\(base)/v1/jobs", json, body: Data(body.utf8))
        #expect(job.headers["location"] == "\(base)/v1/jobs/\(try job.id)")
        let shown = try service.get("\(base)/v1/jobs/\(try job.id)", "Prefer: wait=20")
        #expect(try shown.json["state"] as? String == "succeeded", "\(shown.text)")
        let listed = try service.get("\(base)/v1/jobs")
        var followed = 0
        for answer in [model, dataset, shown, listed] {
            for link in Self.links(in: try answer.json) {
                #expect(link.hasPrefix("\(base)/v1/"), "\(link)")
                let found = try service.get(link, "Accept: application/json, */*")
                #expect(found.status == 200, "\(link): \(found.text)")
                followed += 1
            }
        }
        #expect(followed > 12)
        let events = try service.get("\(base)/v1/jobs/\(try job.id)/events", "Accept: text/event-stream")
        #expect(events.text.contains("event: verdict"))
    }

    @Test func resumableUploadsGoOnBelowThePath() throws {
        let service = try ServiceProcess(script: Self.script, settings: ["BURND_BASE_PATH": "/burn"])
        let tus = "Tus-Resumable: 1.0.0"
        let bytes = ServiceProcess.archive
        let made = try service.send(
            "POST", "/burn/v1/uploads?kind=dataset&name=a.tar.gz", [tus, "Upload-Length: \(bytes.count)"])
        let place = try #require(made.headers["location"])
        #expect(place == "/burn/v1/uploads/\(try made.id)")
        let piece = try service.send(
            "PATCH", place, [tus, "Upload-Offset: 0", "Content-Type: application/offset+octet-stream"],
            body: bytes)
        #expect(piece.status == 204)
        #expect(piece.headers["link"]?.hasPrefix("</burn/v1/datasets/") == true, "\(piece.headers)")
        let links = Self.links(in: try service.get(place).json)
        #expect(links.count == 2 && links.allSatisfy { $0.hasPrefix("/burn/v1/") }, "\(links)")
    }

    @Test func theDashboardFindsItsFilesAndTheInterface() throws {
        let service = try ServiceProcess(script: Self.script, settings: ["BURND_BASE_PATH": "/burn"])
        for address in ["/burn", "/burn/", "/"] {
            let page = try service.get(address)
            #expect(page.status == 200)
            let files = page.text.matches(of: /(?:href|src)="(\/[^"]*)"/).map { String($0.1) }
            #expect(files.count > 5)
            for file in files {
                #expect(file.hasPrefix("/burn/assets/"))
                #expect(try service.get(file).status == 200, "\(file)")
            }
        }
        let document = try service.get("/burn/openapi.json").json
        #expect(document["servers"] as? [[String: String]] == [["url": "/burn"]])
    }

    /// A proxy may take the path off; what lies beside it is not the service's.
    @Test func requestsWithoutThePathAreTakenAndOthersAreNot() throws {
        let service = try ServiceProcess(script: Self.script, settings: ["BURND_BASE_PATH": "/burn"])
        let stripped = try service.post("/v1/datasets", "Prefer: wait=20", body: ServiceProcess.archive)
        #expect(stripped.headers["location"]?.hasPrefix("/burn/v1/datasets/") == true)
        #expect(try service.get("/healthz").status == 200)
        #expect(try service.get("/burn/healthz").status == 200)
        for address in ["/burnt/healthz", "/burn/burn/healthz", "/other/v1/jobs", "/Burn/healthz"] {
            #expect(try service.get(address).status == 404, "\(address)")
        }
        for address in ["/burn/v1/nothing", "/v1/nothing"] {
            #expect(try service.get(address).json["instance"] as? String == "/burn/v1/nothing")
        }
        // No proxy is trusted: whoever writes the field is a client.
        let foreign = try service.get("/openapi.json", "X-Forwarded-Prefix: /evil").json
        #expect(foreign["servers"] as? [[String: String]] == [["url": "/burn"]])
    }

    @Test func aTrustedProxySaysThePathForEachRequest() throws {
        let makeKey =
            #""$0" keys create ci --scope submit --data "$BURND_DATA" > "$BURND_DATA.key"; exec "$0" "$@""#
        let service = try ServiceProcess(
            script: Self.script,
            settings: ["BURND_TRUSTED_PROXIES": "127.0.0.1", "BURND_BASE_PATH": "/configured"],
            launcher: ["/bin/sh", "-c", makeKey])
        let key =
            "Authorization: Bearer \(try String(contentsOfFile: service.data + ".key", encoding: .utf8))"
            .trimmingCharacters(in: .whitespacesAndNewlines)
        func server(_ address: String, _ prefix: String?) throws -> (Int, String?) {
            let answer =
                try prefix.map { try service.get(address, key, "X-Forwarded-Prefix: \($0)") }
                ?? service.get(address, key)
            let document = try answer.json
            let servers = document["servers"] as? [[String: String]]
            return (answer.status, servers?.first?["url"] ?? document["code"] as? String)
        }
        for (address, prefix, status, expected) in [
            ("/openapi.json", nil, 200, "/configured"), ("/openapi.json", "/a", 200, "/a"),
            ("/a/b/openapi.json", "/a/b/", 200, "/a/b"), ("/openapi.json", "/", 200, "/"),
            ("/configured/openapi.json", "/a", 404, "no-such-resource"),
            ("/openapi.json", "//evil.example", 400, "forwarded-prefix-invalid"),
            ("/openapi.json", "https://evil.example", 400, "forwarded-prefix-invalid"),
            ("/openapi.json", "/a/../b", 400, "forwarded-prefix-invalid"),
            ("/openapi.json", "/a\"><script>", 400, "forwarded-prefix-invalid"),
            ("/openapi.json", "/a, /b", 400, "forwarded-prefix-invalid"),
            ("/openapi.json", "/v1", 400, "forwarded-prefix-invalid"),
        ] {
            let answer = try server(address, prefix)
            #expect(answer.0 == status && answer.1 == expected, "\(address) \(prefix ?? "-"): \(answer)")
        }
        let model = try service.post(
            "/v1/models", key, "X-Forwarded-Prefix: /a", "Prefer: wait=20",
            body: Data(contentsOf: ServiceProcess.model))
        #expect(model.headers["location"]?.hasPrefix("/a/v1/models/") == true, "\(model.text)")
    }

    @Test(arguments: ["burn", "/v1", "/assets/x", "/a//b", "/a/..", "/a b", "/metrics"])
    func aPathThatCannotBeIsRefusedAtStart(path: String) {
        let failure = #expect(throws: ServiceProcess.Failure.self) {
            try ServiceProcess(script: Self.script, settings: ["BURND_BASE_PATH": path])
        }
        #expect(failure?.description.contains("BURND_BASE_PATH") == true, "\(String(describing: failure))")
    }

    @Test func theClientFollowsLinksBelowThePath() throws {
        let service = try ServiceProcess(script: Self.script, settings: ["BURND_BASE_PATH": "/burn"])
        let set = service.folder.appending(path: "a.tar.gz")
        try ServiceProcess.archive.write(to: set)
        // The service takes links with its path also from those who reach it at the top.
        for address in ["/burn", "/burn/", ""] {
            let home = service.folder.path
            let process = Process()
            process.executableURL = ServiceProcess.programs.appending(path: "burnd")
            process.arguments = ["client", "datasets", "push", set.path]
            process.environment = [
                "PATH": "/usr/bin:/bin", "XDG_CONFIG_HOME": home, "HOME": home,
                "BURN_URL": "http://127.0.0.1:\(service.port)\(address)",
            ]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 0 && text.hasPrefix("dst_"), "\(text)")
        }
    }
}
