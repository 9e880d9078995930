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
