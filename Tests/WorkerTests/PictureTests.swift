import Findings
import Foundation
import PackedDataset
import Testing
import TinyModels
import WorkerProtocol

/// Pictures that a real worker makes: thumbnails, samples on the boundary, triggers.
@Suite struct PictureTests {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    /// Width and height of a PNG, from its header.
    private func size(ofPNG data: Data) throws -> [Int] {
        try #require(data.starts(with: [0x89, 0x50, 0x4e, 0x47]) && data.count > 24)
        return [16, 20].map { start in data[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
    }

    @Test func everyImageHasAThumbnail() throws {
        // Taller than a thumbnail, and not square.
        let writer = try PackedDatasetWriter(
            directory: folder.file("set"), height: 200, width: 50, channels: 3)
        for sample in 0..<1_100 {
            try [UInt8](repeating: UInt8(sample % 251), count: 200 * 50 * 3).withUnsafeBytes {
                try writer.append($0, className: "\(sample % 2)", name: "\(sample)")
            }
        }
        _ = try writer.finish(format: "test")
        let result = try WorkerProcess.run(
            .thumbnails(.init(dataset: folder.file("set"))), in: folder.file("out"))
        try #require(result.isFinished, "\(result)")
        for sample in [0, 511, 512, 1_099] {
            let jpeg = try #require(
                try SliceFile.thumbnails.read(sample, of: 1_100, in: folder.file("out")))
            #expect(jpeg.starts(with: [0xff, 0xd8]) && jpeg.suffix(2) == Data([0xff, 0xd9]))
            // The frame header: height and width follow the length and the precision.
            let frame = try #require(jpeg.firstRange(of: Data([0xff, 0xc0])))
            let sides = jpeg[frame.upperBound + 3..<frame.upperBound + 7]
            #expect(Array(sides) == [0, 64, 0, 16])
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("out/thumbnails.u64.part")))
    }

    @Test func picturesShowWhatTheAnalysisFound() throws {
        let made = try PoisonedCase.shared()
        let set = try PackedDataset(directory: made.dataset)
        let findings = made.undisturbed.messages.flatMap { message -> [SampleFinding] in
            if case .samples(let list) = message { list } else { [] }
        }
        // Others were not looked at by the analysis.
        let samples = Array(findings.indices.filter { findings[$0].adversarialLabel != nil }.prefix(40))
        try #require(samples.count == 40)
        func render(_ name: String) throws -> [RenderedSample] {
            let task = WorkerTask.Render(
                model: made.model, skeleton: nil, dataset: made.dataset, samples: samples,
                options: JobOptions(seed: 7, threads: 1))
            let result = try WorkerProcess.run(.render(task), in: folder.file(name))
            try #require(result.isFinished, "\(result)")
            return result.messages.flatMap { message -> [RenderedSample] in
                if case .rendered(let list) = message { list } else { [] }
            }
        }
        let rendered = try render("first")
        #expect(rendered.map(\.index) == samples)
        #expect(rendered.allSatisfy { $0.amplification > 0 && $0.amplification <= 1_000 })
        // Batches of another size round differently: one sample may fall to another side.
        let same = rendered.count { $0.adversarialLabel == findings[$0.index].adversarialLabel }
        #expect(same >= samples.count - 1)
        func png(_ name: String, _ index: Int, _ view: SampleView) throws -> Data {
            try Data(contentsOf: URL(filePath: folder.file("\(name)/" + RenderedSample.file(index, view))))
        }
        for index in samples {
            for view in SampleView.allCases {
                #expect(try size(ofPNG: png("first", index, view)) == [set.width, set.height])
            }
            #expect(try png("first", index, .original) != png("first", index, .adversarial))
        }
        #expect(try render("second") == rendered)
        for view in SampleView.allCases {
            #expect(try png("first", samples[11], view) == png("second", samples[11], view))
        }
    }

    @Test(arguments: [[-1], [260], []])
    func samplesThatAreNotThereAreRefused(samples: [Int]) throws {
        let made = try PoisonedCase.shared()
        let task = WorkerTask.Render(
            model: made.model, skeleton: nil, dataset: made.dataset, samples: samples, options: JobOptions())
        let result = try WorkerProcess.run(.render(task), in: folder.file("refused"))
        #expect(result.problem?.code == "render-task-invalid")
    }

    @Test func everyEstimatedTriggerHasItsPictures() throws {
        let made = try PoisonedCase.shared()
        let triggers = made.undisturbed.messages.flatMap { message -> [TriggerFinding] in
            if case .triggers(let list) = message { list } else { [] }
        }
        let artifacts = made.undisturbed.messages.compactMap { message -> WorkerArtifact? in
            if case .artifact(let artifact) = message, artifact.label != nil { artifact } else { nil }
        }
        #expect(artifacts.count == 3 * triggers.count)
        for artifact in artifacts {
            let file = made.folder.file("scan/" + artifact.file)
            #expect(try size(ofPNG: Data(contentsOf: URL(filePath: file))) == [32, 32])
            #expect(triggers.contains { $0.label == artifact.label })
        }
        #expect(triggers.allSatisfy { (0...1).contains($0.effect) && $0.amplification > 0 })
    }
}
