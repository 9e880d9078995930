import Foundation
import RawHTTP
import Support
import Synchronization
import Testing

/// The service is killed again and again while clients upload, submit and cancel. `BURN_KILL_ROUNDS` says how
/// often; `scripts/soak` does 200 rounds.
@Suite struct KillTests {
    static let script = """
        [probe]
        model-summary 32
        finished
        [import]
        dataset-summary 32
        finished
        [job]
        phase boundary_analysis
        samples 300
        phase detection
        verdict
        artifact model.pt2 PURIFIED
        finished
        """

    @Test func nothingAcknowledgedIsLostAndNothingIsDoneTwice() throws {
        let rounds = ProcessInfo.processInfo.environment["BURN_KILL_ROUNDS"].flatMap { Int($0) } ?? 8
        let service = try ServiceProcess(
            script: Self.script,
            settings: [
                "BURND_LIMITS_QUEUED_JOBS": "100000", "BURND_UPLOADS_UNFINISHED": "10000", "BURND_SLOTS": "2",
            ])
        let model = try service.post(
            "/v1/models?name=m", "Prefer: wait=20", body: Data(contentsOf: ServiceProcess.model)
        ).id
        let dataset = try service.post("/v1/datasets?name=d", "Prefer: wait=20", body: ServiceProcess.archive)
            .id
        let load = Load(model: model, dataset: dataset)
        for round in 0..<rounds {
            load.run(on: service, for: .milliseconds(Int.random(in: 20...700)))
            #expect(try service.faults() == [], "after round \(round)")
            try service.start()
            try load.verify(service)
        }
        try load.finish(service)
        print("\(rounds) kills: \(load.summary)")
        #expect(service.stop(SIGTERM) == 0)
        #expect(try service.faults() == [])
    }

    /// What the clients sent, and what was acknowledged.
    ///
    /// Unchecked: `state` is guarded by its mutex; the rest does not change.
    private final class Load: @unchecked Sendable {
        struct Resumable {
            var name: String
            var content: Data
            /// Where it goes on; nil until the creation was acknowledged.
            var path: String?
            var acknowledged = 0
            var isFinished = false
        }

        struct State {
            /// Ids of data sets to their SHA-256.
            var uploads: [String: String] = [:]
            /// Idempotency keys to the job that was acknowledged.
            var jobs: [String: String?] = [:]
            var cancelled: Set<String> = []
            var resumables: [Resumable] = []
            var number = 0
            var isOver = false
        }

        let model, dataset: String
        let state = Mutex(State())

        init(model: String, dataset: String) {
            self.model = model
            self.dataset = dataset
        }

        var summary: String {
            state.withLock {
                "\($0.uploads.count) uploads, \($0.resumables.count) resumable ones, \($0.jobs.count) jobs"
            }
        }

        private var isOver: Bool { state.withLock { $0.isOver } }

        private func next() -> Int {
            state.withLock { state in
                state.number += 1
                return state.number
            }
        }

        /// Clients work until the service is killed.
        func run(on service: ServiceProcess, for time: Duration) {
            state.withLock { $0.isOver = false }
            let group = DispatchGroup()
            let clients: [@Sendable () throws -> Void] = [
                { try self.upload(service) }, { try self.resume(service) }, { try self.submit(service) },
            ]
            for client in clients {
                DispatchQueue.global(qos: .utility).async(group: group) {
                    // The end of the service is the end of each client, in the middle of whatever it does.
                    while !self.isOver { do { try client() } catch { return } }
                }
            }
            usleep(UInt32(time / .microseconds(1)))
            _ = service.stop(SIGKILL)
            state.withLock { $0.isOver = true }
            group.wait()
        }

        private func content(_ bytes: Int) -> Data {
            var generator = SystemRandomNumberGenerator()
            return ServiceProcess.archive.prefix(3)
                + Data((0..<bytes).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }

        private func upload(_ service: ServiceProcess) throws {
            let body = content(20_000)
            let reply = try service.post("/v1/datasets?name=one-\(next())", body: body)
            guard reply.status == 201 else { throw RawClient.Failure(description: reply.text) }
            let id = try reply.id
            state.withLock { $0.uploads[id] = KillTests.hexadecimal(body) }
            usleep(50_000)
        }

        private func submit(_ service: ServiceProcess) throws {
            usleep(100_000)
            let key = "key-\(next())"
            state.withLock { $0.jobs[key] = .some(nil) }
            let id = try post(key, service)
            state.withLock { $0.jobs[key] = id }
            if Int.random(in: 0..<4) == 0, try service.post("/v1/jobs/\(id)/cancel").status == 202 {
                state.withLock { _ = $0.cancelled.insert(id) }
            }
        }

        private func post(_ key: String, _ service: ServiceProcess) throws -> String {
            let body = #"{"type": "purify", "model": "\#(model)", "dataset": "\#(dataset)"}"#
            let reply = try service.post(
                "/v1/jobs", "Content-Type: application/json", "Idempotency-Key: \(key)", body: Data(body.utf8)
            )
            guard reply.status == 202 else { throw RawClient.Failure(description: reply.text) }
            return try reply.id
        }

        /// One step of an upload in pieces: the one that was interrupted goes on first.
        private func resume(_ service: ServiceProcess) throws {
            let index = state.withLock { state in
                if let index = state.resumables.firstIndex(where: { !$0.isFinished }) { return index }
                return -1
            }
            if index < 0 {
                let new = Resumable(name: "tus-\(next())", content: content(60_000))
                return state.withLock { $0.resumables.append(new) }
            }
            var upload = state.withLock { $0.resumables[index] }
            try step(&upload, service)
            let stepped = upload
            state.withLock { $0.resumables[index] = stepped }
        }

        private func step(_ upload: inout Resumable, _ service: ServiceProcess) throws {
            let version = "Tus-Resumable: 1.0.0"
            guard let path = upload.path else {
                let reply = try service.send(
                    "POST", "/v1/uploads?kind=dataset&name=\(upload.name)",
                    [version, "Upload-Length: \(upload.content.count)"])
                guard reply.status == 201 else { throw RawClient.Failure(description: reply.text) }
                upload.path = reply.headers["location"]
                return
            }
            let head = try service.send("HEAD", path, [version])
            guard head.status == 200, let offset = head.headers["upload-offset"].flatMap({ Int($0) }) else {
                throw RawClient.Failure(description: "HEAD \(head.status)")
            }
            if offset < upload.acknowledged { Issue.record("\(offset) of \(upload.acknowledged) bytes left") }
            if offset < upload.content.count {
                let piece = upload.content.dropFirst(offset).prefix(25_000)
                let reply = try service.send(
                    "PATCH", path,
                    [version, "Upload-Offset: \(offset)", "Content-Type: application/offset+octet-stream"],
                    body: Data(piece))
                guard reply.status == 204 else { throw RawClient.Failure(description: reply.text) }
                upload.acknowledged = offset + piece.count
            }
            let shown = try service.get(path).json
            upload.isFinished = shown["state"] as? String == "finished"
        }

        /// After a restart: everything that was acknowledged is there.
        func verify(_ service: ServiceProcess) throws {
            let (uploads, jobs) = state.withLock { ($0.uploads, $0.jobs) }
            for (id, sha256) in uploads.shuffled().prefix(20) {
                #expect(try service.get("/v1/datasets/\(id)").json["sha256"] as? String == sha256)
            }
            for (key, id) in jobs.shuffled().prefix(20) {
                guard let id else { continue }
                #expect(try post(key, service) == id)
            }
        }

        /// Lets everything come to its end, and counts.
        func finish(_ service: ServiceProcess) throws {
            while let index = state.withLock({ state in state.resumables.firstIndex { !$0.isFinished } }) {
                var upload = state.withLock { $0.resumables[index] }
                try step(&upload, service)
                let stepped = upload
                state.withLock { $0.resumables[index] = stepped }
            }
            let last = state.withLock { state in
                // No task uses it any more.
                return state
            }
            // A submission without an answer may be repeated: it makes one job in all.
            var ids: Set<String> = []
            for (key, id) in last.jobs {
                let repeated = try post(key, service)
                if let id { #expect(id == repeated) }
                ids.insert(repeated)
            }
            #expect(ids.count == last.jobs.count)
            #expect(Set(try items("/v1/jobs", service).compactMap { $0["id"] as? String }) == ids)
            for id in ids {
                let job = try service.finished(id)
                let expected = last.cancelled.contains(id) ? ["cancelled"] : ["succeeded", "cancelled"]
                #expect(expected.contains(job["state"] as? String ?? "none"), "\(job)")
                let events =
                    try service.get("/v1/jobs/\(id)/events?limit=1000").json["items"] as? [[String: Any]]
                let ends = (events ?? []).filter { event in
                    let state = (event["data"] as? [String: Any])?["state"] as? String
                    return event["type"] as? String == "state"
                        && ["succeeded", "failed", "cancelled"].contains(state)
                }
                #expect(ends.count == 1, "\(id): \(ends)")
            }
            let datasets = try items("/v1/datasets", service)
            for (id, sha256) in last.uploads {
                #expect(datasets.contains { $0["id"] as? String == id && $0["sha256"] as? String == sha256 })
            }
            for upload in last.resumables {
                let made = datasets.filter { $0["name"] as? String == upload.name }
                #expect(made.count == 1, "\(upload.name)")
                #expect(made.first?["sha256"] as? String == KillTests.hexadecimal(upload.content))
            }
        }

        private func items(_ path: String, _ service: ServiceProcess) throws -> [[String: Any]] {
            var all: [[String: Any]] = []
            var cursor = ""
            repeat {
                let page = try service.get("\(path)?limit=1000\(cursor)").json
                all += page["items"] as? [[String: Any]] ?? []
                cursor = (page["next_cursor"] as? String).map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            return all
        }
    }

    fileprivate static func hexadecimal(_ data: Data) -> String {
        Digest.sha256(data).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
