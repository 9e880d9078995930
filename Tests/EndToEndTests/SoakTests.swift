import Foundation
import Testing

/// Uploads, jobs, cancels and restarts, over and over: memory, descriptors and the database's log stay flat.
/// `BURN_SOAK_SECONDS` says how long; `scripts/soak` does an hour.
@Suite struct SoakTests {
    private struct Sample {
        var kibibytes = 0
        var descriptors = 0
        var log = 0

        func report(_ rounds: Int, _ seconds: Double) {
            print(
                "soak: \(Int(seconds)) s, \(rounds) rounds, memory \(kibibytes) KiB, descriptors \(descriptors), "
                    + "log \(log) bytes")
        }
    }

    @Test func memoryDescriptorsAndTheLogStayFlat() throws {
        let seconds = ProcessInfo.processInfo.environment["BURN_SOAK_SECONDS"].flatMap { Double($0) } ?? 24
        let service = try ServiceProcess(
            script: KillTests.script,
            settings: ["BURND_RETENTION_JOBS": "50", "BURND_LOG_LEVEL": "warning"])
        let end = Date(timeIntervalSinceNow: seconds)
        var samples: [Sample] = []
        var restarts = 0
        var rounds = 0
        var nextRestart = Date(timeIntervalSinceNow: seconds / 3)
        var nextReport = Date()
        while Date() < end {
            try round(service)
            rounds += 1
            samples.append(try sample(service))
            if Date() > nextReport {
                samples.last?.report(rounds, seconds - end.timeIntervalSinceNow)
                nextReport = Date(timeIntervalSinceNow: max(seconds / 60, 5))
            }
            if Date() > nextRestart, restarts < 2 {
                #expect(service.stop(SIGTERM) == 0)
                try service.start()
                restarts += 1
                nextRestart = Date(timeIntervalSinceNow: seconds / 3)
                samples = []
            }
            usleep(seconds > 100 ? 500_000 : 0)
        }
        // Since the last restart: the second half beside the first, once all is warm.
        let warm = samples.dropFirst(samples.count / 4)
        let early = Array(warm.prefix(warm.count / 2))
        let late = Array(warm.suffix(warm.count / 2))
        func median(_ samples: [Sample], _ value: (Sample) -> Int) -> Int {
            let sorted = samples.map(value).sorted()
            return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
        }
        let memory = (median(early, \.kibibytes), median(late, \.kibibytes))
        let descriptors = (median(early, \.descriptors), median(late, \.descriptors))
        let log = samples.map(\.log).max() ?? 0
        print(
            "soak: \(rounds) rounds, \(restarts) restarts, memory \(memory) KiB, descriptors \(descriptors), "
                + "log at most \(log) bytes")
        #expect(memory.1 <= memory.0 + memory.0 / 5 + 4_096)
        #expect(descriptors.1 <= descriptors.0 + 8)
        #expect(log < 32 << 20)
        #expect(service.stop(SIGTERM) == 0)
        #expect(try service.faults() == [])
    }

    private func round(_ service: ServiceProcess) throws {
        let job = try service.startJob()
        let second = try service.startJob("scan")
        #expect([202, 409].contains(try service.post("/v1/jobs/\(second)/cancel").status))
        let ends = [try service.finished(job), try service.finished(second)]
        #expect(ends[0]["state"] as? String == "succeeded")
        #expect(try service.get("/v1/jobs/\(job)/samples?limit=100").status == 200)
        #expect(try service.get("/metrics").status == 200)
        for end in ends {
            for kind in ["model", "dataset"] {
                let id = end[kind] as? String ?? "none"
                #expect(try service.send("DELETE", "/v1/\(kind)s/\(id)", []).status == 204)
            }
        }
    }

    private func sample(_ service: ServiceProcess) throws -> Sample {
        let folder = "/proc/\(service.identifier)"
        let status = try String(contentsOfFile: folder + "/status", encoding: .utf8)
        let resident = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let log = try? FileManager.default.attributesOfItem(atPath: service.data + "/burn.sqlite-wal")
        return Sample(
            kibibytes: resident?.split(separator: " ").compactMap { Int($0) }.first ?? 0,
            descriptors: try FileManager.default.contentsOfDirectory(atPath: folder + "/fd").count,
            log: log?[.size] as? Int ?? 0)
    }
}
