import Foundation
import Testing

@Suite struct CheckTests {
    private func withFolder(_ body: (URL, _ worker: (String) throws -> String) throws -> Void) throws {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "burnd-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder) { try Program.worker(following: $0, in: folder) }
    }

    @Test func aModelAloneIsDescribed() throws {
        let outcome = try Program.run(["check", Program.model])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("model    pt2, input N x 3 x 32 x 32 float32, 10 classes"))
        #expect(outcome.output.contains("Nothing is wrong."))
    }

    /// As with `burnd check … | head`: what nobody reads is left out, and the exit code stays.
    @Test func aReaderThatHasGoneIsNoFault() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = [
            "-c", "\"$0\" check \"$1\" | true; exit ${PIPESTATUS[0]}",
            Program.folder.appending(path: "burnd").path, Program.model,
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    }

    @Test func aModelAndASetThatFitAreSaidToFit() throws {
        try withFolder { folder, worker in
            let program = try worker(
                "[import]\ndataset-summary 32\nfinished\n[agreement]\nagreement 0.9\nfinished\n")
            let outcome = try Program.run(["check", Program.model, folder.path, "--worker", program])
            #expect(outcome.status == 0, "\(outcome.errors)\(outcome.output)")
            #expect(outcome.output.contains("dataset  "))
        }
    }

    @Test func bothProblemsAreSaidWithTheirFixes() throws {
        try withFolder { folder, worker in
            let model = folder.appending(path: "model.pth").path
            try Data([0x80, 2, 0x8A, 10]).write(to: URL(filePath: model))
            let images = folder.appending(path: "images")
            try FileManager.default.createDirectory(
                at: images.appending(path: "empty"), withIntermediateDirectories: true)
            let outcome = try Program.run(["check", model, images.path, "--json"])
            #expect(outcome.status == 2, "\(outcome.errors)")
            let report = try #require(
                try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
            let problems = try #require(report["problems"] as? [[String: Any]])
            #expect(problems.count == 2)
            #expect(problems.first?["code"] as? String == "model-format-pickledcheckpoint")
            #expect((problems[0]["fix"] as? String)?.contains("torch.save(") == true)
        }
    }

    @Test func theShapeThatIsExpectedIsSaidWithTheWayToIt() throws {
        try withFolder { folder, worker in
            let program = try worker("[import]\ndataset-summary 28\nfinished\n")
            let outcome = try Program.run(["check", Program.model, folder.path, "--worker", program])
            #expect(outcome.status == 2)
            #expect(outcome.output.contains("(3, 32, 32)") && outcome.output.contains("(3, 28, 28)"))
            #expect(outcome.output.contains("--resize 32x32"))
        }
    }

    @Test func aWorkerThatFailsIsNoFaultOfTheInput() throws {
        try withFolder { folder, worker in
            let program = try worker("[import]\ndie 9\n")
            let outcome = try Program.run(["check", Program.model, folder.path, "--worker", program])
            #expect(outcome.status == 1)
        }
    }

    /// What a worker says in the words of HTTP.
    @Test(arguments: [
        ("layout", "Import with layout=folders or layout=leaf-folders.", "[--layout]"),
        ("-", "Import with layout=folders or alpha=drop.", "Import with --layout folders or --alpha drop."),
        (
            "-", "Save it smaller; the limit is limits.image_bytes of the service's configuration.",
            "Save it smaller.\n"
        ),
        (
            "-",
            "Scale it down, or raise limits.image_side or limits.image_memory in the service's configuration. So.",
            "Scale it down. So."
        ),
        (
            "architecture",
            "For another one upload the model as .pt2 and name it as the skeleton (skeleton=MODEL_ID).",
            "For another one export the model as .pt2 and give it: --skeleton FILE."
        ),
        (
            "-", "If it is a data set, upload it as one (POST /v1/datasets).",
            "If it is a data set, give it as DATASET; the order is MODEL DATASET."
        ),
        (
            "options.classes", "If so, set options.classes (--classes FILE) to {\"a\":1}.",
            "If so, give --classes FILE, which holds {\"a\":1}."
        ),
        (
            "options.input", "If so, set options.input to {\"range\":[0,1]} (--range 0,1).",
            "If so, give --range 0,1."
        ),
        (
            "-", "To go on nevertheless, set options.accept_disagreement (--accept-disagreement).",
            "To go on nevertheless, give --accept-disagreement."
        ),
        ("-", "Upload the data set that the model was trained on.", "Give the data set that the model"),
        (
            "-", "Convert the images to grey, and upload them again.",
            "Convert the images to grey, and try again."
        ),
    ])
    func messagesAreInTheWordsOfTheCommand(location: String, fix: String, said: String) throws {
        try withFolder { folder, worker in
            let program = try worker("[import]\nfail unprocessable scripted \(location) \(fix)\n")
            let outcome = try Program.run(["check", Program.model, folder.path, "--worker", program])
            #expect(outcome.status == 2 && outcome.output.contains(said), "\(outcome.output)")
            if location == "-" { #expect(outcome.output.contains("[\(folder.path)]"), "\(outcome.output)") }
        }
    }

    @Test func whatAnOptionWasGivenIsSaid() throws {
        let resize = try Program.run(["check", Program.model, "--resize", "9999"])
        #expect(resize.errors.contains("a side has 1 to 2048. Given was 9999."), "\(resize.errors)")
        let skeleton = try Program.run(["check", Program.model, "--skeleton", "nowhere.pt2"])
        #expect(skeleton.output.contains("nowhere.pt2: No such file or directory [--skeleton]"))
    }

    /// How its images were packed can't be said any more.
    @Test(arguments: [
        ["--resize", "32"], ["--crop", "32"], ["--alpha", "drop"], ["--orientation", "stored"],
        ["--split", "train"], ["--layout", "folders"],
    ])
    func optionsOfImagesAreRefusedOnAPackedSet(options: [String]) throws {
        try withFolder { folder, worker in
            try Data("{}".utf8).write(to: folder.appending(path: "manifest.json"))
            let worker = try worker("")
            for command in ["check", "scan"] {
                let outcome = try Program.run(
                    [command, Program.model, folder.path, "--worker", worker] + options)
                #expect(outcome.status == (command == "check" ? 2 : 1), "\(outcome.errors)")
                let said = outcome.output + outcome.errors
                #expect(said.contains("An option has no effect on this set"), "\(said)")
                #expect(said.contains(folder.path), "\(said)")
            }
        }
    }

    @Test(arguments: [
        ["--architecture", "resnet18", "--skeleton", "x"], ["--image", "32"], ["--resize", "0"],
        ["--crop", "1x2x3"],
    ])
    func wrongOptionsAreWrongUsage(options: [String]) throws {
        #expect(try Program.run(["check", Program.model] + options).status == 64)
    }
}
