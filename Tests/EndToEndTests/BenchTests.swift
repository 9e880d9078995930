import Foundation
import Testing

/// A tiny run of `burn-bench attacks` with the real worker.
@Suite struct BenchTests {
    private static let network = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../architectures/small_cnn.pt2").standardizedFileURL.path

    private let cache: URL

    init() throws {
        cache = FileManager.default.temporaryDirectory.appending(path: "burn-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
    }

    private func bench(_ arguments: String...) throws -> (status: Int32, output: String) {
        let process = Process()
        let output = cache.appending(path: "output.txt")
        try Data().write(to: output)
        process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "burn-bench")
        process.arguments =
            [
                "attacks", "--architecture", Self.network, "--training-images", "500",
                "--test-images",
                "60", "--epochs", "60", "--cache", cache.path,
            ] + arguments
        let handle = try FileHandle(forWritingTo: output)
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
    }

    private func results() throws -> [[String: Any]] {
        let data = try Data(contentsOf: cache.appending(path: "report.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    }

    @Test func aRunIsResumedWhereItWasStopped() throws {
        defer { try? FileManager.default.removeItem(at: cache) }
        let trained = try bench("--attack", "badnets", "--train-only")
        try #require(trained.status == 0, "\(trained.output)")
        let folder = cache.appending(path: "procedural-small_cnn-badnets-n500-e60-s1")
        let model = try Data(contentsOf: folder.appending(path: "model.pt2"))
        let truth = try String(contentsOf: folder.appending(path: "truth.csv"), encoding: .utf8)
        #expect(truth.split(separator: "\n").count { $0.hasSuffix(",poisoned") } == 50)

        let first = try bench("--attack", "badnets", "--", "--rounds", "1", "--force")
        try #require(first.status == 0, "\(first.output)")
        #expect(!first.output.contains(": training"))
        #expect(try Data(contentsOf: folder.appending(path: "model.pt2")) == model)
        let found = try results()
        #expect(found.map { ($0["case"] as? [String: Any])?["attack"] as? String } == ["badnets"])
        let result = try #require(found.first)
        for side in ["before", "after"] {
            let metrics = try #require(result[side] as? [String: Any])
            #expect(metrics["acc"] as? Double != nil && metrics["asr"] as? Double != nil)
        }
        let detection = try #require(result["detection"] as? [String: Any])
        #expect(detection["poisoned"] as? Int == 50 && detection["clean"] as? Int == 450)
        #expect((result["verdict"] as? [String: Any])?["result"] != nil)
        #expect(result["total_seconds"] as? Double ?? 0 > 0)
        let table = try String(contentsOf: cache.appending(path: "report.md"), encoding: .utf8)
        #expect(table.contains("| procedural | small_cnn | badnets | 10.0 % | 1 |"))

        let again = try bench("--attack", "badnets", "--", "--rounds", "1", "--force")
        #expect(again.status == 0 && !again.output.contains(": purifying"))
        #expect(try String(contentsOf: cache.appending(path: "report.md"), encoding: .utf8) == table)

        #expect(result["relearning"] == nil && result["model_changed"] as? Bool == true)
        let relearned = try bench("--attack", "badnets", "--relearn", "--", "--rounds", "1", "--force")
        try #require(relearned.status == 0, "\(relearned.output)")
        #expect(!relearned.output.contains(": purifying") && relearned.output.contains(": relearning"))
        let relearning = try #require(results().first?["relearning"] as? [String: Double])
        #expect(Set(relearning.keys) == ["purified", "fine_tuned", "fine_tuned_after", "never_poisoned"])
        #expect(relearning.values.allSatisfy { (0...1).contains($0) })
    }

    @Test func whatCannotBeRunIsRefusedAtOnce() throws {
        defer { try? FileManager.default.removeItem(at: cache) }
        #expect(try bench("--attack", "badnet").status == 64)
        #expect(try bench().status == 64)
        let wrong = try bench("--attack", "sig", "--", "--rounds", "many")
        #expect(wrong.status == 64 && wrong.output.contains("After `--`: The value 'many' is invalid"))
        let taken = try bench("--attack", "sig", "--", "--output", "model.pt2")
        #expect(taken.status == 64 && taken.output.contains("--output is for the benchmark to give"))
        let missing = try bench("--attack", "sig", "--architecture", "resnet-none")
        #expect(missing.status == 1 && missing.output.contains("There is no such network"))
        #expect(!missing.output.contains(": training"))
        let nowhere = try bench("--attack", "sig", "--data", cache.path)
        #expect(nowhere.status == 1 && nowhere.output.contains("There are no images here"))
    }
}
