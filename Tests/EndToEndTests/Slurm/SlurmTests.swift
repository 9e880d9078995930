import Foundation
import Testing
import ZipFixtures

/// The service on a real Slurm cluster, over HTTP.
@Suite(.enabled(if: SlurmCluster.isAtHand, SlurmCluster.missing), .serialized)
struct SlurmTests {
    /// A job that goes on when it may, after a first phase.
    static let waiting =
        ServiceProcess.imports
        + "[job]\nphase boundary_analysis\nsamples 300\nuntil-file go\nphase detection\nverdict\nfinished\n"

    let cluster: SlurmCluster

    init() throws { cluster = try SlurmCluster.shared.get() }

    private func service(_ script: String = waiting, _ settings: [String: String] = [:]) throws
        -> ServiceProcess
    {
        try ServiceProcess(script: script, settings: cluster.settings.merging(settings) { $1 })
    }

    /// - Returns: ids of so many more jobs like this one.
    private func more(_ count: Int, like job: String, _ service: ServiceProcess) throws -> [String] {
        let first = try service.job(job)
        return try (0..<count).map { _ in
            try service.submit([
                "type": "scan", "model": first["model"] as? String ?? "",
                "dataset": first["dataset"] as? String ?? "",
            ])
        }
    }

    private func release(_ job: String, _ service: ServiceProcess) {
        let go = workDirectory(job, service) + "/go"
        #expect(FileManager.default.createFile(atPath: go, contents: nil))
    }

    /// The one of the newest attempt: there is no other.
    private func workDirectory(_ job: String, _ service: ServiceProcess) -> String {
        let folder = service.data + "/jobs/" + job
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasPrefix("work") }
        #expect(names.count == 1, "\(names)")
        return folder + "/" + (names.first ?? "none")
    }

    private func slurm(_ job: [String: Any]) -> [String: Any] { job["slurm"] as? [String: Any] ?? [:] }

    /// - Throws: `Failure` where it takes too long.
    @discardableResult
    private func wait(
        for job: String, _ service: ServiceProcess, until condition: ([String: Any]) throws -> Bool
    ) throws -> [String: Any] {
        let deadline = ContinuousClock.now + .seconds(120)
        return try service.wait(for: job) { shown in
            guard ContinuousClock.now < deadline else {
                throw ServiceProcess.Failure(description: "Not within two minutes: \(shown)")
            }
            return try condition(shown)
        }
    }

    /// Waits until the job's task runs on a node, and its worker with it.
    private func running(_ job: String, _ service: ServiceProcess) throws -> (id: Int, node: String) {
        let shown = try wait(for: job, service) {
            slurm($0)["state"] as? String == "running" && !($0["phases"] as? [Any] ?? []).isEmpty
        }
        return (try #require(slurm(shown)["job"] as? Int), try #require(slurm(shown)["node"] as? String))
    }

    private func waitUntilReady(_ service: ServiceProcess) throws {
        for _ in 0..<300 {
            if try service.get("/readyz").status == 200 { return }
            usleep(100_000)
        }
        Issue.record("\(try service.get("/readyz").text)")
    }

    private func code(_ job: [String: Any]) -> String? {
        (job["error"] as? [String: Any])?["code"] as? String
    }

    /// A few drawn images of ten classes.
    private static var images: Data {
        var random = SeededGenerator(seed: 7)
        let entries = (0..<60).map { index in
            let rows = (0..<32).map { _ in
                (0..<96).map { _ in UInt8(clamping: index % 10 * 20 + Int.random(in: 0..<60, using: &random))
                }
            }
            return ZipBuilder.Entry(
                "\(index % 10)/\(index).png", RawPNG(width: 32, height: 32, colourType: 2, rows: rows).bytes)
        }
        return Data(ZipBuilder(entries).build())
    }

    @Test func aPurificationGivesTheSameAsOnThisMachine() throws {
        func purify(_ service: ServiceProcess) throws -> (job: [String: Any], model: Data, labels: Data) {
            let id = try service.submit([
                "type": "purify",
                "model": service.upload(Data(contentsOf: ServiceProcess.model), to: "models", name: "m"),
                "dataset": service.upload(Self.images, to: "datasets", name: "d.zip"),
                "options": ["rounds": 1, "threads": 1, "force": true, "accept_disagreement": true],
            ])
            let job = try service.ended(id)
            try #require(job["state"] as? String == "succeeded", "\(job)")
            return (
                job, try service.get("/v1/jobs/\(id)/model").body,
                try service.get("/v1/jobs/\(id)/labels").body
            )
        }
        let local = try ServiceProcess(settings: [:])
        let here = try purify(local)
        let remote = try ServiceProcess(settings: cluster.settings)
        let there = try purify(remote)
        #expect(here.model == there.model && !here.model.isEmpty)
        #expect(here.labels == there.labels && !here.labels.isEmpty)
        #expect(here.job["verdict"] as? NSDictionary == there.job["verdict"] as? NSDictionary)
        #expect(here.job["slurm"] is NSNull)
        #expect(slurm(there.job)["state"] as? String == "ended")
        #expect(["n1", "n2"].contains(slurm(there.job)["node"] as? String), "\(there.job)")
        #expect(remote.stop(SIGTERM) == 0)
        try cluster.waitUntilEmpty(seconds: 5)
    }

    /// Helpers run on both nodes; those that are killed there, or cancelled, are no fault of their job.
    @Test func aJobOnSeveralNodesFindsTheSameAsOnOne() throws {
        // Each task takes a node's memory.
        let service = try ServiceProcess(
            settings: cluster.settings.merging(
                [
                    "BURND_SHARE_SECONDS": "0", "BURND_SLURM_JOB_MEMORY": "3000 MiB",
                    "BURND_SLURM_SIZING": "fixed",
                ]) { $1 })
        let inputs = try SharedJobs.upload(6 * 128 + 37, to: service)
        func submit(_ slots: Int) throws -> String {
            try SharedJobs.submit(inputs, service, options: ["analysis": "full", "slots": slots])
        }
        let alone = try SharedJobs.result(submit(1), service)
        #expect(try SharedJobs.parts("finished", service) == 0)
        let id = try submit(2)
        var nodes: Set<String> = []
        var nice: Set<String> = []
        while try service.job(id)["finished_at"] is NSNull {
            let shown = try cluster.run("squeue", "--noheader", "--format=%j %y").split(separator: "\n")
            nice.formUnion(
                shown.filter { $0.contains(id) }.compactMap { line in
                    let words = line.split(separator: " ")
                    return words.count == 2
                        ? "\(words[0].contains("-h-") ? "helper" : "job") \(words[1])" : nil
                })
            nodes.formUnion(try cluster.queue().filter { $0.name.contains(id) }.map(\.node))
            usleep(100_000)
        }
        SharedJobs.expectSame(try SharedJobs.result(id, service), alone)
        #expect(nodes.isSuperset(of: ["n1", "n2"]), "\(nodes)")
        #expect(nice == ["helper 1000", "job 0"])
        #expect(try SharedJobs.parts("finished", service) > 0)

        let other = try submit(4)
        var ended = 0
        while ended < 2, try service.job(other)["finished_at"] is NSNull {
            usleep(300_000)
            let helper = try cluster.queue().first {
                $0.name.contains("\(other)-1-h-") && $0.state == "RUNNING"
            }
            guard let helper else { continue }
            ended += 1
            try cluster.run("scancel", ended == 1 ? ["\(helper.id)"] : ["--signal=KILL", "\(helper.id)"])
        }
        #expect(ended > 0)
        SharedJobs.expectSame(try SharedJobs.result(other, service), alone)
        try cluster.waitUntilEmpty(seconds: 10)
        #expect(service.stop(SIGTERM) == 0)
        #expect(try service.faults() == [])
    }

    @Test func whatSlurmSaysIsShownAndWhatItEndsIsNamed() throws {
        // Each takes a node's memory: two run.
        let service = try service(Self.waiting, ["BURND_SLURM_JOB_MEMORY": "3000 MiB"])
        let first = try service.startJob("scan")
        let (id, _) = try running(first, service)
        let second = try more(1, like: first, service)
        _ = try running(second[0], service)
        let jobs = try second + more(2, like: first, service)

        // The others wait, and say for what.
        let pending = try wait(for: jobs[1], service) { slurm($0)["position"] is Int }
        #expect(slurm(pending)["state"] as? String == "pending" && pending["state"] as? String == "running")
        #expect(["Resources", "Priority"].contains(slurm(pending)["reason"] as? String), "\(pending)")
        let last = try wait(for: jobs[2], service) { slurm($0)["position"] is Int }
        let places = [slurm(pending), slurm(last)].compactMap { $0["position"] as? Int }
        #expect(places.sorted() == [1, 2], "\(places)")
        let told = try service.events(of: jobs[1]).compactMap { $0.data["slurm"] as? [String: Any] }
        #expect(told.contains { $0["state"] as? String == "pending" })
        let system = try #require(try service.get("/v1/system").json["slurm"] as? [String: Any])
        #expect(
            system["running"] as? Int == 2 && system["pending"] as? Int == 2 && system["problem"] is NSNull)
        let nodes = try #require(system["nodes"] as? [[String: Any]])
        #expect(nodes.reduce(0) { $0 + ($1["count"] as? Int ?? 0) } == 2, "\(nodes)")
        #expect(system["nodes_at"] is String, "\(system)")
        let metrics = try service.get("/metrics").text
        #expect(
            metrics.contains("burn_slurm_tasks{state=\"pending\"} 2\n")
                && metrics.contains("burn_slurm_ready 1\n"))
        try nothingShowsOnCommandLines(service)

        // A pending one that is cancelled here leaves Slurm's queue.
        #expect(try service.post("/v1/jobs/\(jobs[2])/cancel").status == 202)
        #expect(try service.finished(jobs[2])["state"] as? String == "cancelled")
        #expect(try cluster.queue().count == 3)

        // One that is cancelled there is said to be.
        try cluster.run("scancel", "\(id)")
        let cancelled = try service.finished(first)
        #expect(
            cancelled["state"] as? String == "failed" && code(cancelled) == "slurm-cancelled", "\(cancelled)")

        // An srun that is killed is no fault of the job: it goes on after its first phase.
        let before = try running(jobs[0], service)
        try killSrun(of: jobs[0])
        let again = try wait(for: jobs[0], service) {
            $0["attempt"] as? Int == 2 && slurm($0)["state"] as? String == "running"
        }
        #expect(slurm(again)["job"] as? Int != before.id)
        // Its folder has another name, which a worker that was thought to be dead doesn't know, and its content.
        let folder = workDirectory(jobs[0], service)
        #expect(folder.hasSuffix("/work-2"))
        for job in jobs.prefix(2) {
            _ = try running(job, service)
            if job == jobs[0] {
                let journal = folder + "/journal"
                let deadline = ContinuousClock.now + .seconds(20)
                while try !String(contentsOfFile: journal, encoding: .utf8).contains("resumed"),
                    .now < deadline
                {
                    usleep(50_000)
                }
                let lines = try String(contentsOfFile: journal, encoding: .utf8).split(separator: "\n")
                #expect(lines == ["worked boundary_analysis", "resumed boundary_analysis"])
            }
            release(job, service)
            #expect(try service.finished(job)["state"] as? String == "succeeded")
        }
        try cluster.waitUntilEmpty(seconds: 5)
        let work = try FileManager.default.attributesOfItem(atPath: workDirectory(first, service))
        #expect(work[.posixPermissions] as? Int == 0o700)
        #expect(service.stop(SIGTERM) == 0)
        #expect(try service.faults() == [])
    }

    /// Neither Slurm's queue nor the processes of this machine show where data lies or what is asked for.
    private func nothingShowsOnCommandLines(_ service: ServiceProcess) throws {
        let queued = try cluster.run("squeue", "--noheader", "--format=%o %k %Z")
        #expect(!queued.contains(service.data), "\(queued)")
        for process in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline"),
                line.starts(with: Data("/usr/bin/srun".utf8))
            else { continue }
            let text = String(decoding: line, as: UTF8.self)
            #expect(!text.contains(service.data) && !text.contains("{"), "\(text)")
            let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ") ?? Data()
            #expect(!String(decoding: environment, as: UTF8.self).contains("BURND_"))
        }
    }

    /// - Parameter parent: whose children alone are killed; nil: with srun's helper.
    private func killSrun(of job: String, parent: Int32? = nil) throws {
        for process in try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap({ pid_t($0) })
        {
            let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
            let text = String(decoding: line, as: UTF8.self)
            guard text.hasPrefix("/usr/bin/srun"), text.contains(job) else { continue }
            let status = FileManager.default.contents(atPath: "/proc/\(process)/status") ?? Data()
            let isChild = parent.map { String(decoding: status, as: UTF8.self).contains("PPid:\t\($0)\n") }
            if isChild != false { kill(process, SIGKILL) }
        }
    }

    @Test func aTaskThatIsSuspendedPreemptedOrLosesItsSrunGoesOn() throws {
        let service = try service()
        let job = try service.startJob("scan")
        let (id, _) = try running(job, service)
        try cluster.run("scontrol", "suspend", "\(id)")
        try wait(for: job, service) { slurm($0)["reason"] as? String == "Suspended" }
        try cluster.run("scontrol", "resume", "\(id)")
        try wait(for: job, service) { slurm($0)["reason"] is NSNull }

        /// Waits for another attempt, and for the event that says why.
        func again(_ attempt: Int, _ code: String) throws {
            let shown = try wait(for: job, service) {
                $0["attempt"] as? Int == attempt && slurm($0)["state"] as? String == "running"
                    || $0["finished_at"] is String
            }
            #expect(shown["attempt"] as? Int == attempt, "\(shown)")
            #expect(
                try service.events(of: job).contains {
                    ($0.data["problem"] as? [String: Any])?["code"] as? String == code
                })
        }
        // As the kernel does it for want of memory. Its helper ends the job, which Slurm calls cancelled.
        try killSrun(of: job, parent: service.identifier)
        try again(2, "slurm-srun-ended")
        try cluster.run("srun", "--partition=urgent", "--nodes=2", "--mem=3900M", "/bin/true")
        try again(3, "slurm-preempted")
        release(job, service)
        #expect(try service.finished(job)["state"] as? String == "succeeded")
        try cluster.waitUntilEmpty(seconds: 10)
        #expect(service.stop(SIGTERM) == 0)
    }

    @Test func aMemoryLimitIsNamed() throws {
        let script =
            ServiceProcess.imports + "[job]\nphase boundary_analysis\nfill 900\nuntil-file never\nfinished\n"
        let service = try service(script, ["BURND_SLURM_JOB_MEMORY": "300 MiB"])
        let ended = try service.finished(try service.startJob("scan"))
        #expect(ended["state"] as? String == "failed" && code(ended) == "slurm-memory-limit", "\(ended)")
        #expect(slurm(ended)["node"] is String, "\(ended)")
        #expect(
            try service.get("/metrics").text.contains(
                "burn_worker_exits_total{cause=\"slurm_memory_limit\"} 1\n"))
        try cluster.waitUntilEmpty(seconds: 10)
        #expect(service.stop(SIGTERM) == 0)
    }

    /// It asks for what its model's probe lets it expect; where that is too little it gets all that it may have.
    @Test func aJobAsksForWhatItIsExpectedToTakeAndGetsMoreWhereItTakesMore() throws {
        let probe = ServiceProcess.imports.replacing(
            "model-summary 32", with: "model-summary 32 3 65536 0.0001")
        let script =
            probe
            + "[job]\nphase boundary_analysis\nfill 1900\nuntil-file go\nphase detection\nverdict\nfinished\n"
        let service = try service(script, ["BURND_SLURM_JOB_MEMORY": "3000 MiB"])
        let job = try service.startJob("scan")
        try wait(for: job, service) {
            $0["attempt"] as? Int == 2 && slurm($0)["state"] as? String == "running"
        }
        release(job, service)
        let ended = try service.finished(job)
        #expect(ended["state"] as? String == "succeeded" && ended["attempt"] as? Int == 2, "\(ended)")
        let asked = try service.events(of: job).compactMap {
            ($0.data["slurm"] as? [String: Any])?["request"] as? [String: Any]
        }
        let (first, last) = (try #require(asked.first), try #require(asked.last))
        let memory = first["memory_bytes"] as? Int ?? 0
        #expect((1 << 30..<3 << 29).contains(memory) && first["minutes"] as? Int == 15, "\(asked)")
        #expect(last["memory_bytes"] as? Int == 3000 << 20 && last["minutes"] as? Int == 60, "\(asked)")
        #expect(
            try service.events(of: job).contains {
                ($0.data["problem"] as? [String: Any])?["code"] as? String == "slurm-memory-limit"
            })
        try cluster.waitUntilEmpty(seconds: 10)
        #expect(service.stop(SIGTERM) == 0)
    }

    @Test func aLostNodeAndADrainedOneCostNoJob() throws {
        let service = try service()
        let job = try service.startJob("scan")
        let (_, node) = try running(job, service)
        let other = node == "n1" ? "n2" : "n1"
        // Its daemon dies, and the cluster's health check notices.
        cluster.tell("kill", node)
        try cluster.run("scontrol", "update", "nodename=\(node)", "state=down", "reason=lost")
        let moved = try wait(for: job, service) {
            $0["attempt"] as? Int == 2 && slurm($0)["state"] as? String == "running"
        }
        #expect(slurm(moved)["node"] as? String == other)
        #expect(
            try service.events(of: job).contains {
                ($0.data["problem"] as? [String: Any])?["code"] as? String == "slurm-node-failed"
            })
        cluster.tell("start", node)
        try cluster.run("scontrol", "update", "nodename=\(node)", "state=resume")

        // What runs on a node that is drained comes to its end; what comes later goes elsewhere.
        try cluster.run("scontrol", "update", "nodename=\(other)", "state=drain", "reason=maintenance")
        let later = try more(1, like: job, service)[0]
        #expect(try running(later, service).node == node)
        for job in [job, later] {
            release(job, service)
            #expect(try service.finished(job)["state"] as? String == "succeeded")
        }
        try cluster.run("scontrol", "update", "nodename=\(other)", "state=resume")
        try cluster.waitUntilEmpty(seconds: 5)
        #expect(service.stop(SIGTERM) == 0)
    }

    @Test func aTimeLimitIsNamed() throws {
        let service = try service()
        let job = try service.startJob("scan")
        let (id, _) = try running(job, service)
        try cluster.run("scontrol", "update", "jobid=\(id)", "EndTime=now")
        let ended = try service.finished(job)
        #expect(ended["state"] as? String == "failed" && code(ended) == "slurm-time-limit", "\(ended)")
        #expect(
            try service.get("/metrics").text.contains(
                "burn_worker_exits_total{cause=\"slurm_time_limit\"} 1\n"))
        #expect(service.stop(SIGTERM) == 0)
    }

    @Test func aServiceThatIsKilledLeavesNothingAndGoesOn() throws {
        // Five tasks share a processor.
        let service = try service(
            Self.waiting,
            [
                "BURND_SLURM_PARTITION": "crowded", "BURND_SLURM_JOB_MEMORY": "200 MiB",
                "BURND_SLURM_TASKS": "20",
            ])
        let first = try service.startJob("scan")
        let jobs = try [first] + more(19, like: first, service)
        func allRun() throws {
            for job in jobs { try wait(for: job, service) { slurm($0)["node"] is String } }
            #expect(try cluster.queue().count { $0.state == "RUNNING" } == jobs.count)
        }
        try allRun()
        let before = Set(try cluster.queue().map(\.id))
        #expect(service.stop(SIGKILL) == -SIGKILL)
        try cluster.waitUntilEmpty(seconds: 10)

        // The same where something was left: what bears the service's name is ended at its start.
        try service.start()
        try allRun()
        #expect(before.isDisjoint(with: try cluster.queue().map(\.id)))
        for job in jobs { release(job, service) }
        for job in jobs { #expect(try service.finished(job)["state"] as? String == "succeeded") }
        try cluster.waitUntilEmpty(seconds: 5)

        // A soft stop leaves nothing either, and says which job it was.
        let stopped = try more(1, like: first, service)[0]
        _ = try running(stopped, service)
        #expect(service.stop(SIGTERM) == 0)
        try cluster.waitUntilEmpty(seconds: 10)
        #expect(try service.faults() == [])
    }

    /// A few rounds of Benchmarks/slurm_faults.py, others each time.
    @Test func faultsAtRandomMomentsCostNoJob() throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Benchmarks/slurm_faults.py").standardizedFileURL
        let faults = Process()
        let output = Pipe()
        faults.executableURL = URL(filePath: "/usr/bin/env")
        faults.arguments = [
            "python3", script.path, "--bin", ServiceProcess.programs.path, "--quick", "--rounds", "6",
            "--seed", "\(Int.random(in: 1...1_000_000))",
        ]
        faults.standardInput = FileHandle.nullDevice
        faults.standardOutput = output
        faults.standardError = output
        try faults.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        faults.waitUntilExit()
        #expect(faults.terminationStatus == 0, "\(text)")
    }

    @Test func aTaskOfAnEarlierRunIsEnded() throws {
        let service = try service()
        #expect(service.stop(SIGTERM) == 0)
        let name = try String(contentsOfFile: service.data + "/slurm-instance", encoding: .utf8).prefix(12)
        let stray = Process()
        stray.executableURL = URL(filePath: "/usr/bin/srun")
        stray.arguments = ["--job-name=burn-\(name)-job_of_old-1", "--mem=100M", "/bin/sleep", "300"]
        stray.environment = ["SLURM_CONF": cluster.folder + "/slurm.conf"]
        stray.standardError = FileHandle.nullDevice
        try stray.run()
        let deadline = ContinuousClock.now + .seconds(30)
        while try cluster.queue().isEmpty, .now < deadline { usleep(100_000) }
        try service.start()
        try cluster.waitUntilEmpty(seconds: 10)
        stray.waitUntilExit()
        try waitUntilReady(service)
        #expect(service.stop(SIGTERM) == 0)
    }

    @Test func jobsWaitWhileTheControllerIsDown() throws {
        let service = try service()
        let first = try service.startJob("scan")
        _ = try running(first, service)
        cluster.tell("stop", "slurmctld")
        // What runs does not notice.
        release(first, service)
        #expect(try service.finished(first)["state"] as? String == "succeeded")
        let job = try more(1, like: first, service)[0]
        var ready = try service.get("/readyz")
        let deadline = ContinuousClock.now + .seconds(90)
        while ready.status == 200, .now < deadline {
            usleep(200_000)
            ready = try service.get("/readyz")
        }
        let reason = (try ready.json["checks"] as? [String: String])?["slurm"]
        #expect(reason?.contains("controller") == true, "\(ready.text)")
        #expect(["queued", "running"].contains(try service.job(job)["state"] as? String))
        cluster.tell("start", "slurmctld")
        _ = try running(job, service)
        release(job, service)
        let done = try service.finished(job)
        #expect(done["state"] as? String == "succeeded" && done["error"] is NSNull, "\(done)")
        try waitUntilReady(service)
        // A node whose word of an end was lost meanwhile is asked again by Slurm, much later.
        try cluster.waitUntilEmpty(seconds: 10, completing: false)
        #expect(service.stop(SIGTERM) == 0)
    }

    /// The service starts, says that it is not ready and why, and is when the state has passed.
    @Test(arguments: [
        (["nodename=n1,n2", "state=drain", "reason=maintenance"], ["nodename=n1,n2", "state=resume"]),
        (["partitionname=main", "state=inactive"], ["partitionname=main", "state=up"]),
    ])
    func aClusterThatIsOutOfUseIsWaitedFor(change: [String], back: [String]) throws {
        try cluster.run("scontrol", ["update"] + change)
        let service: ServiceProcess
        do {
            defer { _ = try? cluster.run("scontrol", ["update"] + back) }
            service = try self.service()
            let ready = try service.get("/readyz")
            let reason = (try ready.json["checks"] as? [String: String])?["slurm"]
            #expect(ready.status == 503 && reason?.contains("slurm-refused") == true, "\(ready.text)")
            let system = try #require(try service.get("/v1/system").json["slurm"] as? [String: Any])
            #expect(system["problem"] is [String: Any])
        }
        try waitUntilReady(service)
        #expect(service.stop(SIGTERM) == 0)
    }

    /// Somebody cancels the first task.
    @Test func aProbeThatComesToNothingIsRepeated() throws {
        let programs = try cluster.programs(
            "srun",
            """
            [[ $* == *--test-only* ]] && exec REAL "$@"
            mkdir first 2>/dev/null || exec REAL "$@"
            for word; do [[ $word == --job-name=* ]] && name=${word#*=}; done
            (for _ in {1..50}; do squeue --noheader --name="$name" | grep -q . && break; sleep 0.1; done
            scancel --name="$name") </dev/null >/dev/null 2>&1 &
            exec REAL --begin=now+1hour "$@"
            """)
        let service = try service(Self.waiting, ["BURND_SLURM_PROGRAMS": programs])
        let ready = try service.get("/readyz")
        #expect(ready.status == 503 && ready.text.contains("slurm-cancelled"), "\(ready.text)")
        try waitUntilReady(service)
        #expect(service.stop(SIGTERM) == 0)
    }

    @Test(arguments: [
        (["BURND_SLURM_PARTITION": "nowhere"], "slurm.partition"),
        (["BURND_SLURM_GRES": "gpu:1"], "slurm.gres"),
        (["BURND_SLURM_CONSTRAINT": "fast"], "slurm.constraint"),
        (["BURND_SLURM_PROCESSORS": "512"], "slurm.processors, slurm.job_memory"),
        (["BURND_SLURM_JOB_MEMORY": "900 GiB"], "slurm.processors, slurm.job_memory"),
        (["BURND_SLURM_ARGUMENTS": "--bogus=1"], "slurm.arguments"),
        (["BURND_SLURM_ARGUMENTS": "--reservation"], "BURND_SLURM_ARGUMENTS"),
        (["BURND_SLURM_ARGUMENTS": "--task-prolog=/bin/date"], "BURND_SLURM_ARGUMENTS"),
        (["BURND_SLURM_ARGUMENTS": "--export=ALL"], "BURND_SLURM_ARGUMENTS"),
        (["BURND_SLURM_PARTITION": "--begin=now"], "BURND_SLURM_PARTITION"),
        (["BURND_SLURM_PROGRAMS": "/nowhere"], "slurm.programs"),
        (["BURND_SLURM_CONFIG": "/nowhere"], "slurm.config"),
    ])
    func aWrongSettingIsRefusedAtTheStart(setting: [String: String], location: String) throws {
        let failure = try #require(throws: ServiceProcess.Failure.self) { _ = try service("", setting) }
        #expect(failure.description.contains("[\(location)]"), "\(failure)")
    }

    @Test func aFolderOrAWorkerThatNodesDoNotSeeIsRefusedAtTheStart() throws {
        let hidden = URL(filePath: cluster.folder + "/hidden")
        let data = hidden.appending(path: "service")
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        let blind = try #require(throws: ServiceProcess.Failure.self) {
            _ = try ServiceProcess(settings: cluster.settings, in: data)
        }
        #expect(
            blind.description.contains("[data]") && blind.description.contains("does not see"), "\(blind)")
        let worker = hidden.appending(path: "burn-worker")
        try FileManager.default.createSymbolicLink(
            at: worker, withDestinationURL: ServiceProcess.programs.appending(path: "burn-worker"))
        let missing = try #require(throws: ServiceProcess.Failure.self) {
            _ = try ServiceProcess(settings: cluster.settings, worker: worker)
        }
        #expect(missing.description.contains("[worker]"), "\(missing)")
    }

    /// What SandboxTests tries, on a node.
    @Test(arguments: [
        ("read", "/etc/passwd", EACCES), ("list", "/home", EACCES),
        ("write", "/tmp/burn-slurm-outside", EACCES),
        ("read", "/proc/1/environ", EACCES), ("internet", "", EPERM), ("local", "", EPERM),
    ])
    func theSandboxDeniesTheSameOnANode(action: String, path: String, error: Int32) throws {
        let folder = cluster.folder + "/sandbox"
        for name in ["input", "output"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        let program = ServiceProcess.programs.appending(path: "ConfinedProgram").path
        let said = try cluster.run(
            "srun", "--quiet", "--mem=100M", program, "confined", folder + "/input", folder + "/output",
            action, path)
        #expect(said == "\(error)", "\(said)")
    }
}
