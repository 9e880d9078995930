import Foundation
import Testing
import TinyModels

/// Folders that stand for other outputs than their place says, from the command line and over HTTP.
@Suite(.serialized) struct ClassOrderTests {
    private static let names = ["Bird", "Deer", "Frog", "airplane", "cat", "dog"]
    /// As the model was trained: without regard to case.
    private static let truth = ["airplane": 0, "Bird": 1, "cat": 2, "Deer": 3, "dog": 4, "Frog": 5]
    private let folder = URL(filePath: NSTemporaryDirectory()).appending(
        path: "burn-order-\(UUID().uuidString)")

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    /// - Returns: paths of the model and of the images' folder.
    private func make(
        _ model: PixelModel, _ classes: [(name: String, output: Int)], count: Int = 60
    ) throws -> (model: String, images: String) {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try model.onnx.write(to: URL(filePath: path("model.onnx")))
        try model.write(classes, count: count, to: path("set"))
        return (path("model.onnx"), path("set"))
    }

    private func burnd(_ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = ServiceProcess.programs.appending(path: "burnd")
        process.arguments = arguments
        let files = try ["out", "err"].map { name in
            try Data().write(to: URL(filePath: path(name)))
            return try FileHandle(forWritingTo: URL(filePath: path(name)))
        }
        (process.standardOutput, process.standardError) = (files[0], files[1])
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return (
            process.terminationStatus, try String(contentsOfFile: path("out"), encoding: .utf8),
            try String(contentsOfFile: path("err"), encoding: .utf8)
        )
    }

    private func json(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func tar(_ images: String) throws -> Data {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/tar")
        process.arguments =
            ["-cf", path("set.tar"), "-C", images]
            + (try FileManager.default.contentsOfDirectory(atPath: images))
        try process.run()
        process.waitUntilExit()
        return try Data(contentsOf: URL(filePath: path("set.tar")))
    }

    private var classes: [(name: String, output: Int)] {
        Self.names.map { (name: $0, output: Self.truth[$0] ?? 0) }
    }

    @Test func theCommandLineNamesTheOrderAndTakesIt() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (model, images) = try make(PixelModel(outputs: 6), classes)
        let check = try burnd(["check", model, images, "--json"])
        #expect(check.status == 2, "\(check)")
        let report = try json(check.output)
        let order = try #require((report["orders"] as? [[String: Any]])?.first)
        #expect(order["kind"] as? String == "case_insensitive")
        #expect(order["classes"] as? [String: Int] == Self.truth)
        let problem = try #require((report["problems"] as? [[String: Any]])?.first)
        #expect(problem["code"] as? String == "model-dataset-disagree")
        let scan = try burnd(["scan", model, images])
        #expect(scan.status == 1 && scan.errors.contains(#"{"Bird":1,"#), "\(scan)")
        #expect(scan.errors.contains("--classes") && scan.errors.contains("--accept-disagreement"))

        try JSONSerialization.data(withJSONObject: order["classes"] ?? [:]).write(
            to: URL(filePath: path("classes.json")))
        let again = try burnd(["check", model, images, "--classes", path("classes.json")])
        #expect(again.status == 0 && again.output.contains("\"Bird\" = model output 1"), "\(again)")
        let mapped = try burnd(["scan", model, images, "--classes", path("classes.json"), "--json"])
        #expect([0, 3, 4].contains(mapped.status), "\(mapped)")
        let agreement = try #require(
            (try json(mapped.output)["verdict"] as? [String: Any])?["agreement"] as? [String: Any])
        #expect(agreement["class_order"] as? String == "given" && agreement["accepted"] == nil)
        #expect(abs((agreement["share"] as? Double ?? 0) - 0.79) < 0.1)
        #expect((agreement["classes"] as? [[String: Any]])?.count == 6)
    }

    @Test func theServiceRefusesUnlessTheUserInsists() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (model, images) = try make(PixelModel(outputs: 6), classes)
        let service = try ServiceProcess()
        let ids = (
            model: try service.upload(
                Data(contentsOf: URL(filePath: model)), to: "models", name: "model.onnx"),
            set: try service.upload(tar(images), to: "datasets", name: "set.tar")
        )
        func run(_ options: [String: Any], type: String = "scan") throws -> [String: Any] {
            try service.ended(
                service.submit(["type": type, "model": ids.model, "dataset": ids.set, "options": options]))
        }
        let refused = try run([:])
        let error = try #require(refused["error"] as? [String: Any], "\(refused)")
        #expect(refused["state"] as? String == "failed")
        #expect(error["code"] as? String == "model-dataset-disagree" && error["status"] as? Int == 422)
        #expect((error["fix"] as? String)?.contains("options.classes") == true)
        func agreement(_ job: [String: Any]) throws -> [String: Any] {
            try #require((job["verdict"] as? [String: Any])?["agreement"] as? [String: Any], "\(job)")
        }
        let named = try run(["classes": Self.truth, "method": "published"])
        #expect(try agreement(named)["accepted"] == nil)
        #expect((named["options"] as? [String: Any])?["method"] as? String == "published")
        let statements = ((named["verdict"] as? [String: Any])?["evidence"] as? [String: Any])?["statements"]
        #expect((statements as? [String])?.first?.hasPrefix("This is the published method alone") == true)
        let accepted = try run(["accept_disagreement": true, "force": true, "rounds": 0], type: "purify")
        #expect(accepted["state"] as? String == "succeeded", "\(accepted)")
        #expect((try agreement(accepted)["accepted"] as? String)?.contains("What fits better") == true)
        // Whatever the verdict on such an input: labels that the model does not see never make a purification acceptable.
        let points = try service.get("/v1/jobs/\(accepted["id"] as? String ?? "")/metrics").json["items"]
        for point in points as? [[String: Any]] ?? [] where point["name"] as? String == "accepted" {
            #expect(point["value"] as? Double == 0)
        }
        let report = try service.get("/v1/jobs/\(accepted["id"] as? String ?? "")/report?format=html").text
        #expect(report.contains("Predictions and given labels"))
    }

    @Test func aSubsetOfTheOutputsIsFoundByTheNamesThatTheModelCarries() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let chosen = [("French_horn", 33), ("church", 20), ("gas pump", 41), ("tench", 7)]
        let bare = PixelModel(outputs: 60)
        var (model, images) = try make(bare, chosen.map { (name: $0.0, output: $0.1) })
        let unnamed = try json(try burnd(["check", model, images, "--json"]).output)
        let codes = (unnamed["problems"] as? [[String: Any]])?.compactMap { $0["code"] as? String }
        #expect(codes == ["classes-mismatch", "model-dataset-disagree"], "\(unnamed)")
        let order = (unnamed["orders"] as? [[String: Any]])?.first
        #expect(
            order?["classes"] as? [String: Int]
                == Dictionary(uniqueKeysWithValues: chosen.map { ($0.0, $0.1) }))
        #expect(try burnd(["scan", model, images]).status == 1)

        var names = (0..<60).map { "thing \($0)" }
        for (name, output) in chosen { names[output] = name.replacing("_", with: " ") }
        names[7] = "tench, Tinca tinca"
        let literal =
            "{" + names.enumerated().map { "\($0.offset): '\($0.element)'" }.joined(separator: ", ") + "}"
        (model, images) = try make(
            PixelModel(outputs: 60, metadata: ["names": literal]),
            chosen.map { (name: $0.0, output: $0.1) })
        let check = try burnd(["check", model, images])
        #expect(check.status == 0, "\(check)")
        #expect(check.output.contains(#""tench" = model output 7 (tench, Tinca tinca)"#), "\(check.output)")
        let scan = try burnd(["scan", model, images, "--json", "--report", path("report.json")])
        #expect([0, 3, 4].contains(scan.status), "\(scan)")
        let verdict = try #require(try json(scan.output)["verdict"] as? [String: Any])
        #expect((verdict["agreement"] as? [String: Any])?["class_order"] as? String == "model_names")
        let report = try json(String(contentsOfFile: path("report.json"), encoding: .utf8))
        let called = (report["evidence"] as? [String: Any])?["class_names"] as? [String]
        #expect(called?[7] == "tench" && called?[8] == "thing 8", "\(String(describing: called))")
    }
}
