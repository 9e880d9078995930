import Foundation
import Testing

/// Whatever ends a worker, in whatever phase: its job goes on after the last finished phase or fails with the cause,
/// and neither the service nor another job notices.
@Suite struct WorkerDeathTests {
    private static let phases = [
        "boundary_analysis", "detection", "decoupling", "refinement", "evaluation",
    ]
    /// What happens, and how the metrics call it.
    private static let deaths = [
        ("die-once 9", "signal_9"), ("die-once 11", "signal_11"), ("hang-once", "hung"),
        ("fill 400", "memory_limit"),
    ]

    /// Commands of a job whose worker ends in the phase.
    private static func script(_ death: String, in phase: String) -> String {
        let results = [
            "boundary_analysis": "samples 300\n", "detection": "verdict\n",
            "evaluation": "artifact model.pt2 PURIFIED\n",
        ]
        return phases.map { ($0 == phase ? death + "\n" : "") + "phase \($0)\n" + (results[$0] ?? "") }
            .joined()
            + "finished\n"
    }

    @Test func everyDeathInEveryPhaseIsSurvived() throws {
        let cases = Self.deaths.flatMap { death in Self.phases.map { (death: death, phase: $0) } }
        let scripts = cases.enumerated().map { "[job \($0 + 1)]\n" + Self.script($1.death.0, in: $1.phase) }
        let service = try ServiceProcess(
            script: "[probe]\nmodel-summary 32\nfinished\n[import]\ndataset-summary 32\nfinished\n"
                + "[job]\nphase boundary_analysis\nuntil-file go\nphase detection\nverdict\nfinished\n"
                + scripts.joined(),
            settings: [
                "BURND_SLOTS": "4", "BURND_LIMITS_WORKER_SILENCE_SECONDS": "2",
                "BURND_LIMITS_WORKER_MEMORY": "256 MiB",
            ])
        let process = service.identifier
        let bystander = try service.startJob("scan")
        let inputs = try service.get("/v1/jobs/\(bystander)").json
        let (model, dataset) = (inputs["model"] as? String ?? "", inputs["dataset"] as? String ?? "")
        let jobs = try (1...cases.count).map { seed in
            let body =
                #"{"type": "purify", "model": "\#(model)", "dataset": "\#(dataset)", "options": {"seed": \#(seed)}}"#
            return try service.post("/v1/jobs", "Content-Type: application/json", body: Data(body.utf8)).id
        }
        for (job, (death, phase)) in zip(jobs, cases) {
            let ended = try service.finished(job)
            let metrics = try service.get("/v1/jobs/\(job)/metrics").json
            let finished = (metrics["phases"] as? [[String: Any]] ?? []).compactMap { $0["phase"] as? String }
            if death.1 == "memory_limit" {
                #expect(ended["state"] as? String == "failed", "\(death.0) in \(phase): \(ended)")
                #expect((ended["error"] as? [String: Any])?["code"] as? String == "worker-memory-exceeded")
                #expect(finished == Array(Self.phases.prefix { $0 != phase }))
            } else {
                #expect(ended["state"] as? String == "succeeded", "\(death.0) in \(phase): \(ended)")
                #expect(ended["attempt"] as? Int == 2, "\(death.0) in \(phase)")
                #expect(finished == Self.phases, "\(death.0) in \(phase)")
                #expect(try service.get("/v1/jobs/\(job)/model").text == "PURIFIED")
            }
        }
        let metrics = try service.get("/metrics").text
        for (_, cause) in Self.deaths {
            #expect(
                metrics.contains("\nburn_worker_exits_total{cause=\"\(cause)\"} \(Self.phases.count)\n"),
                "\(cause)")
        }
        // The bystander ran through all of it.
        let other = try service.get("/v1/jobs/\(bystander)").json
        #expect(other["state"] as? String == "running" && other["attempt"] as? Int == 1, "\(other)")
        let go = service.data + "/jobs/\(bystander)/work/go"
        #expect(FileManager.default.createFile(atPath: go, contents: nil))
        let last = try service.finished(bystander)
        #expect(last["state"] as? String == "succeeded" && last["attempt"] as? Int == 1, "\(last)")
        #expect(service.identifier == process && kill(process, 0) == 0)
        #expect(service.stop(SIGTERM) == 0)
        #expect(try service.faults() == [])
    }
}
