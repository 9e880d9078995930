import Foundation
import ImageCodecs
import Testing
import TinyModels

/// `burnd check` says of a job's inputs and options all that `burnd scan` refuses them for, with real workers.
@Suite(.serialized) final class CheckedJobTests {
    private static let classes = [
        (name: "cat", output: 0), (name: "dog", output: 1), (name: "emu", output: 2),
    ]
    private let folder = URL(filePath: NSTemporaryDirectory()).appending(
        path: "burn-checked-\(UUID().uuidString)")

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let model = PixelModel(outputs: 3)
        try model.onnx.write(to: URL(filePath: path("model.onnx")))
        try model.write(Self.classes, count: 40, to: path("set"))
        try model.write(Self.classes, count: 8, to: path("clean"), seed: 2)
        try model.write(Array(Self.classes.dropFirst()), count: 6, to: path("triggered"), seed: 3)
        try model.write(Self.classes, count: 3, to: path("few"), seed: 4)
        try model.write(
            [(name: "cat", output: 0), (name: "zebra", output: 1)], count: 6, to: path("others"), seed: 5)
        try PixelModel(side: 4, outputs: 3).write(Self.classes, count: 8, to: path("small"))
        try model.write(Self.classes, count: 8, to: path("damaged"), seed: 6)
        try Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]).write(
            to: URL(filePath: path("damaged/cat/3.png")))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func burnd(_ command: String, _ arguments: [String], set: String? = "set") throws -> (
        status: Int32, output: String, errors: String
    ) {
        let process = Process()
        process.executableURL = ServiceProcess.programs.appending(path: "burnd")
        process.arguments = [command, path("model.onnx")] + (set.map { [path($0)] } ?? []) + arguments
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

    private func problems(_ arguments: [String]) throws -> [[String: String]] {
        let outcome = try burnd("check", arguments + ["--json"])
        #expect(outcome.status == 2, "\(outcome)")
        let report = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        let problems = try #require(report?["problems"] as? [[String: Any]], "\(outcome)")
        return problems.map { $0.compactMapValues { $0 as? String } }
    }

    @Test func setsAndOptionsThatFitAreDescribed() throws {
        let arguments = [
            "--clean", path("clean"), "--triggered", path("triggered"), "--target-class", "2", "--trusted",
            path("clean"), "--rounds", "2", "--method", "published", "--threads", "1",
        ]
        let text = try burnd("check", arguments)
        #expect(text.status == 0 && text.output.contains("Nothing is wrong."), "\(text)")
        for line in ["clean    image-folder", "trusted  image-folder", "triggered image-folder"] {
            #expect(text.output.contains(line), "\(text.output)")
        }
        #expect(text.output.contains("target   model output 2 (emu)"), "\(text.output)")
        let answer = try burnd("check", arguments + ["--json"])
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any])
        for (name, samples) in [("clean", 24), ("triggered", 12), ("trusted", 24)] {
            #expect((report[name] as? [String: Any])?["samples"] as? Int == samples)
        }
        #expect(report["target_class"] as? Int == 2)
        let options = try #require(report["options"] as? [String: Any])
        #expect(options["rounds"] as? Int == 2 && options["method"] as? String == "published")
    }

    /// By the job as well, with the same words; some of them are tried.
    @Test func whatAJobIsRefusedForIsSaidBefore() throws {
        let cases: [(arguments: [String], code: String, location: String)] = [
            (["--clean", path("small")], "input-shape-mismatch", "--clean"),
            (["--clean", path("others")], "classes-mismatch", "--clean"),
            (
                ["--triggered", path("clean"), "--target-class", "3"], "target-class-out-of-range",
                "--target-class"
            ),
            (["--trusted", path("few")], "trusted-set-too-small", "--trusted"),
            (["--trusted", path("nowhere")], "file-unreadable", "--trusted"),
            (["--trusted", path("damaged")], "image-damaged", "--trusted"),
            (["--mean", "0.5,0.5"], "scaling-channels-mismatch", "--mean"),
            (["--std", "1e-9,1,1"], "input-scaling-invalid", "--preset, --mean, --std, --range"),
            (["--classes", path("nowhere")], "file-unreadable", "--classes"),
        ]
        for (arguments, code, location) in cases {
            let found = try problems(arguments)
            #expect(found.map { $0["code"] } == [code], "\(arguments): \(found)")
            #expect(found.first?["location"]?.hasPrefix(location) == true, "\(arguments): \(found)")
            guard ["classes-mismatch", "trusted-set-too-small", "input-scaling-invalid"].contains(code) else {
                continue
            }
            let job = try burnd("scan", arguments)
            #expect(job.status == 1, "\(job)")
            for part in ["title", "location"] {
                #expect(job.errors.contains(found.first?[part] ?? "-"), "\(part) of \(found): \(job.errors)")
            }
        }
    }

    @Test func allOfThemAreSaidAtOnce() throws {
        let found = try problems([
            "--clean", path("small"), "--triggered", path("others"), "--target-class", "7", "--trusted",
            path("few"), "--mean", "0.5,0.5",
        ])
        #expect(
            Set(found.compactMap { $0["location"] })
                == ["--clean", "--triggered", "--target-class", "--trusted", "--mean"], "\(found)")
    }

    @Test(arguments: [
        ["--target-class", "1"], ["--rounds", "21"], ["--threads", "0"], ["--range", "1,0"],
        ["--method", "other"],
    ])
    func whatIsWrongUsageOfAJobIsWrongUsageHere(arguments: [String]) throws {
        for command in ["check", "scan"] { #expect(try burnd(command, arguments).status == 64) }
    }

    @Test func aSetBesideNoneIsWrongUsage() throws {
        let outcome = try burnd("check", ["--trusted", path("few")], set: nil)
        #expect(outcome.status == 64 && outcome.errors.contains("--trusted goes with a DATASET."))
    }
}
