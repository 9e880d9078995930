import Findings
import Foundation
import ImageCodecs
import PackedDataset
import Support
import Testing
import TinyModels
import WorkerProtocol

/// What a worker process does with each kind of task.
@Suite struct WorkerTests {
    static let cases: [String] = {
        let package = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let named = ProcessInfo.processInfo.environment["BURN_CASES"].map { [URL(filePath: $0)] } ?? []
        let folders = named + ["shared/cases", "../shared/cases"].map { package.appending(path: $0) }
        return ["badnets", "clean", "trojan_wm"].compactMap { name in
            folders.map { $0.appending(path: "\(name)/model.pt2").path }
                .first { FileManager.default.fileExists(atPath: $0) }
        }
    }()

    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    @Test(.enabled(if: !cases.isEmpty, "no case models: set BURN_CASES"))
    func exportedModelsAreProbed() throws {
        for path in Self.cases {
            let result = try WorkerProcess.run(.probeModel(.init(model: path)), in: folder.file("probe"))
            #expect(result.isFinished && result.status == 0, "\(result)")
            guard case .modelProbed(let summary, let pass) = result.reports.first else {
                Issue.record("no summary: \(result)")
                continue
            }
            #expect(summary.format == "pt2" && summary.classes == 10)
            #expect(summary.inputShape == [nil, 3, 32, 32])
            let cost = try #require(pass)
            #expect(cost.height == 32 && cost.width == 32 && cost.seconds > 0)
            #expect(cost.activationBytes > 3 * 32 * 32 * 4)
        }
    }

    @Test func aFolderOfImagesIsImported() throws {
        let source = folder.file("images")
        let drawn = TinyImages.noise(12, side: 9, classes: 3, seed: 1)
        for (index, pixels) in drawn.images.enumerated() {
            let place = "\(source)/class-\(index % 3)"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            try PNGEncoder.encode(pixels, height: 9, width: 9, channels: 3)
                .write(to: URL(filePath: "\(place)/\(index).png"))
        }
        let result = try WorkerProcess.run(
            .importDataset(.init(source: source)), in: folder.file("packed"))
        #expect(result.isFinished && result.status == 0, "\(result)")
        let set = try PackedDataset(directory: folder.file("packed"))
        #expect(result.reports.contains(.datasetImported(set.summary)))
        #expect(set.classes == ["class-0", "class-1", "class-2"] && set.count == 12)
        for sample in 0..<set.count {
            let file = try #require(set.name(of: sample).split(separator: "/").last)
            let index = try #require(Int(file.dropLast(".png".count)))
            #expect(set.withImage(at: sample) { $0.elementsEqual(drawn.images[index]) })
            #expect(set.label(of: sample) == index % 3)
        }
    }

    @Test func aScanOfATrainedModelFinishes() throws {
        let made = try PoisonedCase.shared()
        let result = made.undisturbed
        try #require(result.isFinished && result.status == 0, "\(result)")
        let phases = result.messages.compactMap { message -> Phase? in
            if case .phaseFinished(let phase, _, _) = message { phase } else { nil }
        }
        #expect(phases == [.boundaryAnalysis, .detection, .evaluation])
        let verdicts = result.messages.filter { if case .verdict = $0 { true } else { false } }
        #expect(verdicts.count == 1)
        let findings = result.messages.flatMap { message -> [SampleFinding] in
            if case .samples(let list) = message { list } else { [] }
        }
        #expect(findings.map(\.index) == Array(0..<PoisonedCase.samples))
        let analysed = findings.filter { $0.boundaryDistance != nil }
        #expect(
            analysed.allSatisfy { ($0.boundaryDistance ?? 0) > 0 && $0.boundaryDistance?.isFinite == true })
        #expect(findings.allSatisfy { ($0.boundaryDistance == nil) == ($0.adversarialLabel == nil) })
        #expect(findings.allSatisfy { !$0.flagged || $0.boundaryDistance != nil }, "suspects are analysed")
        #expect(findings.allSatisfy { $0.flagged || $0.restoredLabel == $0.givenLabel })
        let right = findings.count { $0.predictedLabel == $0.givenLabel }
        #expect(Double(right) > 0.7 * Double(PoisonedCase.samples), "the model has learnt")
        #expect(
            result.reports.contains(
                .artifact(WorkerArtifact(role: .correctedLabels, file: "labels.csv"))))
        let rows = try String(decoding: made.labels, as: UTF8.self).split(separator: "\r\n")
        #expect(rows.count == PoisonedCase.samples + 1)
        for (row, finding) in zip(rows.dropFirst(), findings) {
            let labels = "\(finding.givenLabel),\(finding.restoredLabel),\(finding.flagged ? 1 : 0)"
            let confidence = finding.labelConfidence.map { "\($0)" } ?? ""
            #expect(row == "\(finding.index),\(finding.name),\(labels),\(confidence)")
        }
        #expect(
            !FileManager.default.fileExists(atPath: made.folder.file("scan/purified.pt2")), "it is a scan")
    }

    @Test func theSameSeedGivesTheSameVerdictAndLabels() throws {
        let made = try PoisonedCase.shared()
        let again = try WorkerProcess.run(made.analysis(), in: folder.file("again"))
        #expect(again.settled.count >= 3)
        #expect(again.settled == made.undisturbed.settled)
        #expect(try Data(contentsOf: URL(filePath: folder.file("again/labels.csv"))) == made.labels)
    }

    @Test func aTrainedModelKeepsItsArchitecture() throws {
        let made = try PoisonedCase.shared()
        let summaries = try [PoisonedCase.network, made.model].map { path -> ModelSummary? in
            let reports = try WorkerProcess.run(.probeModel(.init(model: path)), in: folder.file("probe"))
                .reports
            guard case .modelProbed(let summary, _) = reports.first else { return nil }
            return summary
        }
        #expect(summaries[0] == summaries[1] && summaries[0] != nil)
        #expect(
            try Data(contentsOf: URL(filePath: PoisonedCase.network))
                != Data(contentsOf: URL(filePath: made.model)))
    }
}
