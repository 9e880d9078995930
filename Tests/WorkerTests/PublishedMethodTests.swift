import Findings
import Foundation
import Testing
import TinyModels
import WorkerProtocol

/// A purification by the published method alone, on the real worker.
@Suite struct PublishedMethodTests {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    @Test func nothingButThePublishedMethodTakesPart() throws {
        let made = try PoisonedCase.shared()
        let result = try WorkerProcess.run(
            made.analysis(
                .purify, options: JobOptions(seed: 7, method: .published, rounds: 1, threads: 1)),
            in: folder.file("job"))
        try #require(result.isFinished && result.status == 0, "\(result)")
        let verdicts = result.messages.compactMap { message -> Verdict? in
            if case .verdict(let verdict) = message { verdict } else { nil }
        }
        let verdict = try #require(verdicts.last)
        #expect(verdict.confidence == nil && verdict.detectableRate == nil)
        #expect(verdict.evidence.statements.contains { $0.hasPrefix("This is the published method alone") })
        #expect(verdict.evidence.classes.allSatisfy { $0.triggerEffect == nil && $0.coherenceShare == 0 })
        for file in ["features.f16", "whitened.f16", "trigger-2-direction.png"] {
            #expect(!FileManager.default.fileExists(atPath: folder.file("job/\(file)")), "\(file)")
        }
        let samples = result.messages.flatMap { message -> [SampleFinding] in
            if case .samples(let list) = message { list } else { [] }
        }
        let flagged = samples.filter(\.flagged)
        #expect(flagged.allSatisfy { $0.restoredLabel == $0.adversarialLabel })
        #expect(verdict.poisonedSamples <= flagged.count, "refinement only adds")
        #expect(flagged.isEmpty == (verdict.result != .backdoored))
        let treated = verdict.evidence.statements.filter { $0.hasPrefix("Treated by") }
        #expect(treated.allSatisfy { $0 == "Treated by restored labels." })
        #expect(treated.isEmpty == flagged.isEmpty)
        print("published: \(verdict.result), \(verdict.targetClasses), \(flagged.count) flagged")
    }
}
