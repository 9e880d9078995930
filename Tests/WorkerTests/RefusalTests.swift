import Findings
import Foundation
import ModelFormats
import PackedDataset
import Support
import Testing
import TinyModels
import WorkerProtocol

/// Wrong input ends in a problem that says what is wrong.
@Suite struct RefusalTests {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func failure(_ kind: WorkerTask.Kind) throws -> Problem {
        let result = try WorkerProcess.run(kind, in: folder.file("out"))
        #expect(result.status == 1 && !result.messages.contains(.finished), "\(result)")
        return try #require(result.problem, "\(result)")
    }

    /// The untrained network does: these are refused before it runs.
    private func scan(
        model: String = PoisonedCase.network, dataset: String? = nil, options: JobOptions = JobOptions()
    ) throws -> WorkerTask.Kind {
        if dataset == nil { try PoisonedCase.draw(20, to: folder.file("set")) }
        return .analyse(
            .init(
                type: .scan, model: model, dataset: dataset ?? folder.file("set"), evaluation: nil,
                options: options))
    }

    /// Where the installed libtorch has no CUDA half, or the machine no GPU.
    @Test(.enabled(if: !FileManager.default.fileExists(atPath: "/dev/nvidiactl")))
    func aGPUThatIsNotThere() throws {
        var task = WorkerTask(kind: try scan(), outputDirectory: folder.file("out"))
        for device in [ComputeDevice.cuda, .cudaTF32] {
            task.device = device
            let problem = try #require(try WorkerProcess(task).wait().problem)
            #expect(problem.code == "device-unavailable" && problem.fix?.contains("cpu") == true)
        }
        task.device = .auto
        let result = try WorkerProcess(task).wait()
        #expect(result.problem?.code == "model-dataset-disagree", "\(result)")
        #expect(
            result.messages.contains {
                if case .log(let line) = $0 { line.contains("processor") } else { false }
            })
    }

    @Test func imagesOfTheWrongSize() throws {
        _ = try TinyImages.noise(4, side: 16, classes: 2, seed: 1).packed(in: folder.file("small"))
        let problem = try failure(scan(dataset: folder.file("small")))
        #expect(problem.code == "dataset-shape-mismatch" && problem.category == .unprocessable)
        #expect(problem.detail.contains("3 x 32 x 32") && problem.detail.contains("3 x 16 x 16"))
    }

    @Test func grey() throws {
        _ = try TinyImages.noise(4, side: 32, channels: 1, classes: 2, seed: 1)
            .packed(in: folder.file("grey"))
        #expect(try failure(scan(dataset: folder.file("grey"))).code == "dataset-shape-mismatch")
    }

    @Test func aClassWithoutAnOutput() throws {
        let problem = try failure(scan(options: JobOptions(classes: ["class-0": 0])))
        #expect(problem.code == "class-mapping-invalid")
        #expect(problem.location?.hasPrefix("options.classes[") == true)
    }

    @Test(arguments: [-1, 21])
    func roundsOutOfRange(rounds: Int) throws {
        let problem = try failure(scan(options: JobOptions(rounds: rounds)))
        #expect(problem.code == "option-out-of-range" && problem.location == "options.rounds")
    }

    @Test func aModelThatWasNeverTrained() throws {
        let problem = try failure(scan())
        #expect(problem.code == "model-dataset-disagree" && problem.category == .unprocessable)
    }

    @Test func anInvalidScaling() throws {
        let problem = try failure(scan(options: JobOptions(input: InputScaling(std: [0, 1, 1]))))
        #expect(problem.code == "input-scaling-invalid")
    }

    @Test func aTruncatedModel() throws {
        let content = try Data(contentsOf: URL(filePath: PoisonedCase.network))
        let path = folder.file("model.pt2")
        try content.prefix(content.count / 2).write(to: URL(filePath: path))
        for kind in [try scan(model: path), .probeModel(.init(model: path))] {
            let problem = try failure(kind)
            #expect([.malformed, .unsupportedFormat].contains(problem.category), "\(problem)")
            #expect(problem.code != "worker-failed")
        }
    }

    /// Each tensor by its name, with how many of its values are none.
    @Test func weightsThatAreNoNumbersAreNamed() throws {
        let file = try openModel(at: PoisonedCase.network)
        let weights = file.weights.filter { $0.name.hasSuffix("weight") }.prefix(2)
        try #require(weights.count == 2)
        var replacements: [String: ModelFile.WeightBytes] = [:]
        for (weight, bad) in zip(weights, [[Float.nan, .infinity, -.infinity], [.nan]]) {
            let sound = try file.readWeight(weight)
            let bytes = bad.withUnsafeBytes { Array($0) } + sound.dropFirst(4 * bad.count)
            replacements[weight.name] = { bytes }
        }
        let path = folder.file("model.pt2")
        try file.write(replacing: replacements, to: path)
        let problem = try failure(.probeModel(.init(model: path)))
        #expect(problem.code == "weights-not-finite")
        #expect(problem.detail.hasPrefix("NaN or infinity are in 2 tensors: "), "\(problem)")
        for (weight, count) in zip(weights, [3, 1]) {
            #expect(problem.detail.contains("“\(weight.name)” (\(count) values)"), "\(problem)")
        }
        #expect(problem.fix?.contains("isfinite") == true)
    }

    @Test func aModelWithADamagedByte() throws {
        var content = try Data(contentsOf: URL(filePath: PoisonedCase.network))
        let place = try #require(content.range(of: Data("\"graph_module\"".utf8))).lowerBound
        content[place + 1] ^= 0x20
        let path = folder.file("model.pt2")
        try content.write(to: URL(filePath: path))
        let problem = try failure(.probeModel(.init(model: path)))
        #expect(problem.category != .internal, "\(problem)")
    }

    @Test func noPackedDataset() throws {
        #expect(try failure(scan(dataset: folder.file("none"))).code == "packed-dataset-missing")
    }

    @Test func aPackedDatasetThatLacksBytes() throws {
        let kind = try scan()
        let labels = folder.file("set/labels.i32")
        try Data(contentsOf: URL(filePath: labels)).dropLast(4).write(to: URL(filePath: labels))
        #expect(try failure(kind).code == "packed-dataset-damaged")
    }

    @Test func whatIsNotAnArchive() throws {
        let path = folder.file("images.zip")
        try Data("no archive at all".utf8).write(to: URL(filePath: path))
        let problem = try failure(.importDataset(.init(source: path)))
        #expect(problem.category == .unsupportedFormat || problem.category == .malformed, "\(problem)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("out/manifest.json")))
    }

    @Test(arguments: ["", ".", "..", "../model.pt2", "/tmp/model.pt2"])
    func aTrainedModelOutsideItsFolder(output: String) throws {
        try PoisonedCase.draw(20, to: folder.file("set"))
        let problem = try failure(
            .train(
                .init(
                    model: PoisonedCase.network, dataset: folder.file("set"), options: JobOptions(),
                    epochs: 1,
                    learningRate: 0.1, output: output)))
        #expect(problem.code == "training-task-invalid")
        #expect(FileManager.default.fileExists(atPath: folder.file("set/manifest.json")))
    }

    @Test func inputThatIsNoTask() throws {
        let process = Process()
        process.executableURL = WorkerProcess.program
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Frame.encode(["no": "task"]))
        try input.fileHandleForWriting.close()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        var decoder = Frame.Decoder<WorkerMessage>()
        guard case .failed(let problem) = try decoder.append(bytes).last else {
            Issue.record("no problem")
            return
        }
        #expect(problem.category == .internal && process.terminationStatus == 1)
    }
}
