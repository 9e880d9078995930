import Foundation
import Support
import Testing

@Suite struct CommandTests {
    private static let importing = "[import]\ndataset-summary 32\nfinished\n"
    private static let backdoored =
        importing + """
            [job]
            phase boundary_analysis
            samples 20
            verdict
            progress 0.5
            evaluation
            artifact model.pt2 PURIFIED
            phase refinement
            finished
            """

    /// Calls the body with a scratch folder and a worker that follows the script.
    private func withWorker(
        _ script: String = backdoored, _ body: (_ folder: URL, _ worker: String) throws -> Void
    ) throws {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "burnd-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder, try Program.worker(following: script, in: folder))
    }

    @Test func versionIsOneLine() throws {
        let outcome = try Program.run(["version"])
        #expect(outcome.status == 0)
        let version = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../VERSION").standardizedFileURL
        #expect(outcome.output == "burnd \(try String(contentsOf: version, encoding: .utf8))")
    }

    @Test func aBackdoorExitsWith3AndWritesWhatWasAskedFor() throws {
        try withWorker { folder, worker in
            let out = folder.appending(path: "out.pt2").path
            let labels = folder.appending(path: "labels.csv").path
            let samples = folder.appending(path: "samples.ndjson").path
            let outcome = try Program.run([
                "purify", Program.model, folder.path, "-o", out, "--labels", labels, "--samples", samples,
                "--worker", worker, "--mean", "0.5,0.5,0.5", "--clean", folder.path,
            ])
            #expect(outcome.status == 3, "\(outcome.errors)")
            #expect(outcome.output.hasPrefix("BACKDOORED: target class 0 \"a\" (all-to-one)."))
            #expect(outcome.output.contains("ACC  clean accuracy"))
            #expect(outcome.errors.contains("refinement, round 1 50 %"))
            #expect(try String(contentsOfFile: out, encoding: .utf8) == "PURIFIED")
            #expect(try String(contentsOfFile: labels, encoding: .utf8).hasPrefix("index,name,given_label,"))
            #expect(try String(contentsOfFile: samples, encoding: .utf8).split(separator: "\n").count == 20)
        }
    }

    @Test func whereNothingIsPurifiedTheOutputIsACopy() throws {
        let script =
            Self.importing + "[job]\nphase boundary_analysis\nsamples 5\nverdict\ncopy-model\nfinished\n"
        try withWorker(script) { folder, worker in
            let out = folder.appending(path: "out.pt2").path
            let outcome = try Program.run([
                "purify", Program.model, folder.path, "-o", out, "--worker", worker,
            ])
            #expect(outcome.output.contains("Nothing to purify: \(out) is a copy"), "\(outcome.output)")
            #expect(FileManager.default.contentsEqual(atPath: out, andPath: Program.model))
        }
    }

    /// A worker that was taken over names another file of the user's, or a link to one.
    @Test(arguments: ["artifact ../../secret", "artifact /etc/passwd", "link-artifact l /etc/passwd"])
    func aResultIsAFileOfTheWorkersOwn(command: String) throws {
        let script =
            Self.importing + "[job]\nphase boundary_analysis\nsamples 5\nverdict\n\(command)\nfinished\n"
        try withWorker(script) { folder, worker in
            let scratch = folder.appending(path: "scratch")
            try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
            try Data("secret".utf8).write(to: scratch.appending(path: "secret"))
            let out = folder.appending(path: "out.pt2").path
            let outcome = try Program.run(
                ["purify", Program.model, folder.path, "-o", out, "--worker", worker],
                environment: ["TMPDIR": scratch.path])
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("A result file cannot be read"), "\(outcome.errors)")
            #expect(!FileManager.default.fileExists(atPath: out))
            #expect(!FileManager.default.fileExists(atPath: out + ".part"))
        }
    }

    @Test(arguments: [
        "[import]\nclass-named a%1B;[31m%A;burnd:\nfinished\n",
        "[import]\nsay \u{1B}[2Kall \u{9B}31m well\ndie 6\n",
        "[import]\nflood-of logs 1\nclass-named %202E;x\nfinished\n",
    ])
    func whatOthersWroteMovesNoCursor(script: String) throws {
        try withWorker(script) { folder, worker in
            for more in [[], ["--json"]] {
                let outcome = try Program.run(
                    ["scan", Program.model, folder.path, "--worker", worker] + more)
                #expect(outcome.status == 1)
                let shown = (outcome.errors + outcome.output).unicodeScalars
                #expect(shown.allSatisfy { $0 == "\n" || !$0.isDisruptive }, "\(outcome)")
            }
        }
    }

    @Test func theJSONResultIsOneDocument() throws {
        try withWorker { folder, worker in
            let outcome = try Program.run([
                "scan", Program.model, folder.path, "--json", "--seed", "7", "--worker", worker,
            ])
            #expect(outcome.status == 3, "\(outcome.errors)")
            let result = try #require(
                try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
            #expect((result["verdict"] as? [String: Any])?["result"] as? String == "backdoored")
            #expect((result["options"] as? [String: Any])?["seed"] as? Int == 7)
            #expect((result["flagged_samples"] as? [[String: Any]])?.count == 2)
            #expect((result["phases"] as? [[String: Any]])?.count == 2)
        }
    }

    @Test func scratchFoldersAreRemoved() throws {
        try withWorker { folder, worker in
            let scratch = folder.appending(path: "scratch")
            try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
            for script in ["script", "nothing"] {
                _ = try Program.run(
                    ["scan", Program.model, folder.appending(path: script).path, "--worker", worker],
                    environment: ["TMPDIR": scratch.path])
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == [])
        }
    }

    @Test func anInterruptStopsTheWorkerAndCleansUp() throws {
        try withWorker("[import]\nphase boundary_analysis\nwait\n") { folder, worker in
            let scratch = folder.appending(path: "scratch")
            try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
            let process = Process()
            process.executableURL = Program.folder.appending(path: "burnd")
            process.arguments = ["scan", Program.model, folder.path, "--worker", worker]
            process.environment = ["TMPDIR": scratch.path]
            let errors = Pipe()
            process.standardError = errors
            try process.run()
            // The worker's message shows that it runs.
            #expect(!errors.fileHandleForReading.availableData.isEmpty)
            process.interrupt()
            process.waitUntilExit()
            #expect(process.terminationReason == .exit && process.terminationStatus == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == [])
        }
    }

    @Test func theWorkersProblemIsShownAndExitsWith1() throws {
        try withWorker("[import]\nfail unprocessable empty-class\n") { folder, worker in
            let arguments = ["scan", Program.model, folder.path, "--worker", worker]
            let text = try Program.run(arguments)
            #expect(text.status == 1)
            #expect(text.output == "")
            #expect(text.errors.contains("burnd: Scripted: scripted"))
            let json = try Program.run(arguments + ["--json"])
            #expect(json.status == 1)
            let result = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect((result?["error"] as? [String: Any])?["code"] as? String == "empty-class")
        }
    }

    @Test func imagesThatDoNotFitTheModelAreRefused() throws {
        try withWorker("[import]\ndataset-summary 31\nfinished\n") { folder, worker in
            let outcome = try Program.run(["scan", Program.model, folder.path, "--worker", worker])
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("(3, 31, 31)"), "\(outcome.errors)")
        }
    }

    @Test func aClassMappingIsCheckedBeforeAnythingRuns() throws {
        try withWorker { folder, worker in
            let mapping = folder.appending(path: "classes.json").path
            try #"{"a": 0, "b": "one"}"#.write(toFile: mapping, atomically: true, encoding: .utf8)
            let outcome = try Program.run([
                "scan", Program.model, folder.path, "--classes", mapping, "--worker", worker,
            ])
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("classes.json#/b"), "\(outcome.errors)")
        }
    }

    @Test func missingAndWrongFilesExitWith1() throws {
        try withWorker { folder, worker in
            let nowhere = folder.appending(path: "nowhere").path
            let noModel = try Program.run(["scan", nowhere, folder.path, "--worker", worker])
            #expect(noModel.status == 1 && noModel.errors.contains("nowhere"))
            let noSet = try Program.run(["scan", Program.model, nowhere, "--worker", worker])
            #expect(noSet.status == 1 && noSet.errors.contains("[DATASET]"))
            let wrong = try Program.run(["scan", worker, folder.path])
            #expect(wrong.status == 1 && wrong.errors.contains("no known format"), "\(wrong.errors)")
            let swapped = try Program.run(["scan", folder.path, Program.model, "--worker", worker])
            #expect(swapped.status == 1 && swapped.errors.contains("MODEL DATASET"), "\(swapped.errors)")
            let means = try Program.run([
                "scan", Program.model, folder.path, "--mean", "0.5,0.5", "--worker", worker,
            ])
            #expect(means.status == 1 && means.errors.contains("[--mean]"), "\(means.errors)")
            let noWorker = try Program.run(["scan", Program.model, folder.path, "--worker", nowhere])
            #expect(noWorker.status == 1 && noWorker.errors.contains("worker"))
        }
    }

    @Test(arguments: [
        ["scan"], ["scan", "m"], ["purify", "m", "d"], ["purify", "m", "d", "-o", "x", "--rounds", "21"],
        ["scan", "m", "d", "--rounds", "2"], ["scan", "m", "d", "--force"],
        ["scan", "m", "d", "--range", "1,0"], ["scan", "m", "d", "--range", "0"],
        ["scan", "m", "d", "--std", "0,1"],
        ["scan", "m", "d", "--mean", "a"], ["scan", "m", "d", "--threads", "0"],
        ["scan", "m", "d", "--seed", "-1"],
        ["scan", "m", "d", "--target-class", "1"], ["scan", "m", "d", "--samples", "x.txt"],
        ["scan", "m", "d", "--method", "paper"], ["scan", "m", "d", "--distance", "l1"],
        ["scan", "m", "d", "--precision", "half"],
        ["purify", "m", "d", "-o", "/nowhere/at/all/x.pt2"],
        ["purify", "m", "d", "-o", "/tmp"], ["heal"],
        ["serve", "--port", "1"],
    ])
    func wrongUsageExitsWith64(arguments: [String]) throws {
        let outcome = try Program.run(arguments)
        #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
        #expect(outcome.errors.contains("Usage"))
    }

    @Test func serveRefusesWhatItMustNotDo() throws {
        try withWorker { folder, worker in
            let common = ["serve", "--data", folder.appending(path: "data").path, "--worker", worker]
            let open = try Program.run(common + ["--listen", "0.0.0.0:0"])
            #expect(open.status == 1 && open.errors.contains("no usable API key"))
            for (name, value) in [("TRUSTED_PROXIES", "127.0.0.1"), ("ALLOWED_HOSTS", "burn.example.org")] {
                let proxied = try Program.run(
                    common + ["--listen", "127.0.0.1:0"], environment: ["BURND_\(name)": value])
                #expect(proxied.status == 1)
                #expect(
                    proxied.errors.contains("Refusing to serve others without API keys"), "\(proxied.errors)")
                #expect(proxied.errors.contains("[\(name.lowercased())]") && proxied.errors.contains(value))
            }
            let missing = try Program.run(common + ["--config", folder.path + "/none.yaml"])
            #expect(missing.status == 1 && missing.errors.contains("none.yaml"))
            let variable = try Program.run(common, environment: ["BURND_SLOTS": "0"])
            #expect(variable.status == 1 && variable.errors.contains("BURND_SLOTS"))
        }
    }
}
