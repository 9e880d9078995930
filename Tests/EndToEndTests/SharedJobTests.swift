import Foundation
import Testing

/// Jobs that use several slots of this machine, over HTTP.
@Suite(.serialized) struct SharedJobTests {
    private func service(_ settings: [String: String] = [:]) throws -> ServiceProcess {
        try ServiceProcess(
            settings: ["BURND_SLOTS": "4", "BURND_SHARE_SECONDS": "0"].merging(settings) { $1 })
    }

    @Test func theNumberOfSlotsChangesNothing() throws {
        let service = try service()
        let inputs = try SharedJobs.upload(5 * 128 + 37, to: service)
        func run(_ options: [String: Any]) throws -> SharedJobs.Result {
            try SharedJobs.result(SharedJobs.submit(inputs, service, options: options), service)
        }
        let alone = try run(["analysis": "full", "slots": 1])
        #expect(try SharedJobs.parts("finished", service) == 0)
        for slots in [2, 4] {
            let before = try SharedJobs.parts("finished", service)
            SharedJobs.expectSame(try run(["analysis": "full", "slots": slots]), alone)
            #expect(try SharedJobs.parts("finished", service) > before, "in \(slots) slots")
        }
        #expect(try SharedJobs.parts("lost", service) == 0)
        #expect(service.stop(SIGTERM) == 0)
        #expect(try service.faults() == [])
    }

    @Test func helpersThatAreKilledChangeNothing() throws {
        let service = try service()
        let inputs = try SharedJobs.upload(8 * 128 + 37, to: service)
        let alone = try SharedJobs.result(
            SharedJobs.submit(inputs, service, options: ["analysis": "full"]), service)
        let id = try SharedJobs.submit(inputs, service, options: ["analysis": "full", "slots": 4])
        var killed: Set<pid_t> = []
        while killed.count < 6, try SharedJobs.parts("lost", service) < 3,
            try service.job(id)["finished_at"] is NSNull
        {
            usleep(UInt32.random(in: 300_000...900_000))
            guard let helper = helpers(of: service).subtracting(killed).randomElement() else { continue }
            killed.insert(helper)
            kill(helper, SIGKILL)
        }
        SharedJobs.expectSame(try SharedJobs.result(id, service), alone)
        #expect(!killed.isEmpty)
        #expect(try SharedJobs.parts("lost", service) > 0)
        #expect(service.stop(SIGTERM) == 0)
        #expect(try service.faults() == [])
    }

    @Test func aQueuedJobTakesTheSlotOfAHelper() throws {
        let service = try service(["BURND_SLOTS": "2"])
        let inputs = try SharedJobs.upload(6 * 128, to: service)
        let long = try SharedJobs.submit(inputs, service, options: ["analysis": "full", "slots": 2])
        while helpers(of: service).isEmpty { usleep(20_000) }
        let other = try SharedJobs.submit(inputs, service, options: ["analysis": "suspects"])
        let begun = try service.wait(for: other) { $0["state"] as? String == "running" }
        #expect(begun["state"] as? String == "running")
        // Its helper goes, and does not come back while the other job runs.
        while !helpers(of: service).isEmpty { usleep(20_000) }
        #expect(try service.job(long)["finished_at"] is NSNull)
        #expect(try service.ended(other)["state"] as? String == "succeeded")
        #expect(try service.ended(long)["state"] as? String == "succeeded")
    }

    @Test func helpersEndWithTheirJobAndTheirService() throws {
        let service = try service()
        let inputs = try SharedJobs.upload(6 * 128, to: service)
        func start() throws -> (job: String, workers: Set<pid_t>) {
            let id = try SharedJobs.submit(inputs, service, options: ["analysis": "full", "slots": 3])
            while helpers(of: service).count < 2 { usleep(20_000) }
            return (id, workers(of: service))
        }
        let first = try start()
        #expect(first.workers.count == 3)
        #expect(try service.post("/v1/jobs/\(first.job)/cancel").status == 202)
        #expect(try service.ended(first.job)["state"] as? String == "cancelled")
        #expect(first.workers.allSatisfy { kill($0, 0) != 0 })

        let second = try start()
        #expect(service.stop(SIGKILL) == -SIGKILL)
        waitForEnd(of: second.workers)
        #expect(try service.faults() == [])
        try service.start()
        let third = try service.ended(second.job)
        #expect(third["state"] as? String == "succeeded" && third["attempt"] as? Int == 2, "\(third)")

        let folders = try FileManager.default.subpathsOfDirectory(atPath: service.data + "/jobs")
        #expect(!folders.contains { $0.contains("parts-") }, "\(folders)")
    }

    private func waitForEnd(of processes: Set<pid_t>) {
        for _ in 0..<100 where processes.contains(where: { kill($0, 0) == 0 }) { usleep(100_000) }
        #expect(processes.allSatisfy { kill($0, 0) != 0 })
    }

    /// Workers of the service that have its data set open.
    private func workers(of service: ServiceProcess) -> Set<pid_t> {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return Set(
            numbers.compactMap { pid_t($0) }.filter { process in
                let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
                let maps = (try? String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)) ?? ""
                return status.contains("PPid:\t\(service.identifier)\n") && maps.contains("/datasets/dst")
            })
    }

    /// Those that write no perturbations of a job, once its own worker does.
    private func helpers(of service: ServiceProcess) -> Set<pid_t> {
        let all = workers(of: service)
        let helpers = all.filter { process in
            let folder = "/proc/\(process)/fd"
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            let files = names.compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
            }
            return !files.isEmpty && !files.contains { $0.hasSuffix(".f16") }
        }
        return helpers.count < all.count ? helpers : []
    }
}
