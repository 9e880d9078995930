import Foundation
import Testing

/// A real backdoored model, real images and the real worker, over HTTP. Small, so that it is quick.
@Suite(.enabled(if: RealCase.isAtHand, Comment(rawValue: RealCase.missing)), .serialized)
struct RealWorkerTests {
    /// Uploads the case and starts a job on it at once: it waits for its imports by itself.
    private func start(_ type: String, _ service: ServiceProcess, _ real: RealCase, rounds: Int = 1) throws
        -> String
    {
        try service.submit([
            "type": type,
            "model": service.upload(Data(contentsOf: real.model), to: "models", name: "vgg.pt2"),
            "dataset": service.upload(real.archive("train"), to: "datasets", name: "train.tar"),
            "options": ["rounds": rounds],
        ])
    }

    @Test func aScanNamesTheTargetAndListsTheEvidence() throws {
        let real = try RealCase.badNets(train: 1_500, test: 300)
        let service = try ServiceProcess()
        let id = try start("scan", service, real)
        var fractions: [Double] = []
        var job: [String: Any] = [:]
        repeat {
            job = try service.job(id, wait: 1)
            let progress = try #require(job["progress"] as? [String: Any])
            fractions.append(try #require(progress["fraction"] as? Double))
            if let seconds = progress["eta_seconds"] as? Double { #expect((0...36_000).contains(seconds)) }
        } while !ServiceProcess.endStates.contains(job["state"] as? String ?? "")
        #expect(job["state"] as? String == "succeeded", "\(job)")
        #expect(fractions == fractions.sorted() && fractions.last == 1)
        #expect(fractions.contains { $0 > 0 && $0 < 1 })
        let phases = try #require(job["phases"] as? [[String: Any]])
        #expect(
            phases.compactMap { $0["phase"] as? String } == ["boundary_analysis", "detection", "evaluation"])

        let verdict = try #require(job["verdict"] as? [String: Any])
        #expect(verdict["result"] as? String == "backdoored", "\(verdict)")
        #expect(verdict["target_classes"] as? [Int] == [8])
        #expect(verdict["kind"] as? String == "all-to-one")
        let classes = (verdict["evidence"] as? [String: Any])?["classes"] as? [[String: Any]]
        #expect(classes?.first { $0["label"] as? Int == 8 }?["name"] as? String == "ship")

        let samples = try service.samples(of: id)
        let rates = try DetectionRates(samples, real.truth)
        #expect(rates.truePositives >= 0.95 && rates.falsePositives <= 0.01, "\(rates)")
        let flagged = samples.values.filter { $0["flagged"] as? Bool == true }
        let path = "/v1/jobs/\(id)/samples"
        func listed(_ query: String) throws -> [[String: Any]] {
            try #require(try service.get("\(path)?limit=1000&\(query)").json["items"] as? [[String: Any]])
        }
        #expect(try listed("flagged=true").count == flagged.count)
        let ships = try listed("flagged=true&class=8")
        #expect(ships.count == flagged.count { $0["given_label"] as? Int == 8 })
        let scores = try listed("sort=-score").compactMap { $0["score"] as? Double }
        #expect(scores == scores.sorted(by: >) && scores.first ?? 0 >= 0.5)

        let csv = try service.get(path, "Accept: text/csv").text.components(separatedBy: "\r\n")
        #expect(csv.count == real.truth.count + 2)
        let labels = try service.get("/v1/jobs/\(id)/labels").text.components(separatedBy: "\r\n")
        #expect(labels.first == "index,name,given_label,restored_label,flagged,label_confidence")
        let corrected = labels.dropFirst()
            .map { $0.split(separator: ",", omittingEmptySubsequences: false) }.filter { $0.count == 6 }
        #expect(corrected.count == real.truth.count)
        #expect(corrected.allSatisfy { $0[4] == "1" || $0[2] == $0[3] })
        #expect(corrected.count { $0[4] == "1" } == flagged.count)
        #expect(try service.get("/v1/jobs/\(id)/model").status == 404)
    }

    @Test func aJobThatItsWorkersMemoryCannotHoldIsRefusedBeforeItStarts() throws {
        let real = try RealCase.badNets(train: 1_500, test: 300)
        let service = try ServiceProcess(settings: ["BURND_LIMITS_WORKER_MEMORY": "250 MiB"])
        let id = try start("purify", service, real)
        let job = try service.ended(id)
        let error = try #require(job["error"] as? [String: Any], "\(job)")
        #expect(error["code"] as? String == "memory-insufficient", "\(error)")
        #expect((error["detail"] as? String)?.contains("Its worker may use 250 MiB") == true, "\(error)")
        #expect(job["attempt"] as? Int == 1 && job["state"] as? String == "failed")
        #expect((job["phases"] as? [Any])?.isEmpty == true)
    }

    @Test func aJobOutlivesItsWorkerAndItsServer() throws {
        let real = try RealCase.badNets(train: 1_500, test: 300)
        let service = try ServiceProcess()
        let id = try start("purify", service, real)
        func finished(_ phase: String) -> ([String: Any]) -> Bool {
            { job in
                (job["phases"] as? [[String: Any]] ?? []).contains { $0["phase"] as? String == phase }
            }
        }
        try service.wait(for: id, until: finished("boundary_analysis"))
        let worker = try #require(try service.workers.first)
        kill(worker, SIGKILL)
        try service.wait(for: id) { $0["attempt"] as? Int == 2 && finished("decoupling")($0) }
        #expect(service.stop(SIGKILL) == -SIGKILL)
        try service.start()
        let done = try service.ended(id)
        #expect(done["state"] as? String == "succeeded", "\(done)")
        #expect(done["attempt"] as? Int == 3)
        #expect((done["verdict"] as? [String: Any])?["target_classes"] as? [Int] == [8])
        #expect(done["model_changed"] as? Bool == true)

        let events = try service.events(of: id)
        // The detection's, and the one that names the treatment. Attempts that said something else would add to them.
        #expect(events.count { $0.type == "verdict" } == 2)
        // Certain before that, and said once, whatever attempts there were.
        let certain = events.indices.filter { events[$0].type == "preliminary" }
        #expect(certain.count == 1 && events[certain[0]].data["target_classes"] as? [Int] == [8])
        #expect(certain[0] < (try #require(events.firstIndex { $0.type == "verdict" })))
        let statements = ((done["verdict"] as? [String: Any])?["evidence"] as? [String: Any])?["statements"]
        #expect(
            (statements as? [String])?.contains { $0.hasPrefix("Treated by restored labels and") } == true)
        func phases(ofAttempt number: Int) -> Set<String> {
            let starts = events.indices.filter {
                events[$0].type == "state" && events[$0].data["state"] as? String == "running"
            }
            guard starts.count >= number else { return [] }
            let end = starts.count > number ? starts[number] : events.endIndex
            return Set(
                events[starts[number - 1]..<end].filter { $0.type == "progress" }.compactMap {
                    $0.data["phase"] as? String
                })
        }
        #expect(phases(ofAttempt: 1).contains("boundary_analysis"))
        #expect(!phases(ofAttempt: 2).contains("boundary_analysis"))
        #expect(phases(ofAttempt: 2).contains("decoupling"))
        #expect(phases(ofAttempt: 3).isDisjoint(with: ["boundary_analysis", "decoupling"]))
        #expect(phases(ofAttempt: 3).contains("refinement"))
        #expect(try service.get("/v1/jobs/\(id)/model").body.starts(with: Data("PK".utf8)))
    }

    /// A service that answers a cancel keeps its promise: within two seconds nothing runs any more.
    @Test func everyPhaseStopsWithinTwoSeconds() throws {
        let real = try RealCase.badNets(train: 1_500, test: 300)
        let service = try ServiceProcess()
        let id = try start("purify", service, real)
        for phase in ["boundary_analysis", "decoupling", "refinement"] {
            try service.wait(for: id) { $0["phase"] as? String == phase }
            #expect(try service.post("/v1/jobs/\(id)/cancel").status == 202)
            let job = try service.job(id, wait: 2)
            #expect(job["state"] as? String == "cancelled", "\(phase)")
            #expect(try service.workers == [])
            #expect(try service.post("/v1/jobs/\(id)/retry").status == 202)
        }
        #expect(try service.ended(id)["state"] as? String == "succeeded")
    }

    @Test func inputsThatDoNotFitFailTheWaitingJob() throws {
        let service = try ServiceProcess()
        let real = try RealCase.badNets(train: 1_500, test: 300)
        let model = try service.upload(Data(contentsOf: real.model), to: "models", name: "vgg.pt2")
        // Images that the model does not take, and a data set that is none.
        let large = try service.upload(Self.greyImages(side: 16), to: "datasets", name: "large.tar")
        let broken = try service.upload(ServiceProcess.archive, to: "datasets", name: "broken.tar.gz")
        for (dataset, codes) in [
            (large, ["dataset-shape-mismatch", "input-shape-mismatch"]), (broken, ["archive-damaged"]),
        ] {
            let reply = try service.post(
                "/v1/jobs", "Content-Type: application/json",
                body: JSONSerialization.data(withJSONObject: [
                    "type": "purify", "model": model, "dataset": dataset,
                ]))
            // Refused at once where the import was quicker than this request.
            let problem =
                reply.status == 202
                ? try service.ended(try reply.id)["error"] as? [String: Any] : try reply.json
            let code = try #require(problem?["code"] as? String)
            #expect(codes.contains(code) || code == "dataset-rejected", "\(problem ?? [:])")
        }
    }

    /// Two classes of grey 8-bit PNG images.
    private static func greyImages(side: Int) throws -> Data {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "burn-grey-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let code = """
            import os, sys, tarfile
            from PIL import Image
            out = sys.argv[1]
            with tarfile.open(out + "/images.tar", "w") as tar:
                for name in ("a", "b"):
                    for index in range(4):
                        path = f"{out}/{name}{index}.png"
                        Image.new("RGB", (\(side), \(side)), (60 * index, 9, 9)).save(path)
                        tar.add(path, f"{name}/{index}.png")
            """
        _ = try RealCase.runPython(["-c", code, folder.path])
        return try Data(contentsOf: folder.appending(path: "images.tar"))
    }
}
