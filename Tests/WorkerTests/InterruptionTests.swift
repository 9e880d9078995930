import Findings
import Foundation
import Support
import Testing
import TinyModels
import WorkerProtocol

/// Workers that are killed go on; workers that are cancelled stop.
@Suite struct InterruptionTests {
    let folder: ScratchFolder
    let made: PoisonedCase

    init() throws {
        folder = try ScratchFolder()
        made = try PoisonedCase.shared()
    }

    private func labels(_ name: String) throws -> Data {
        try Data(contentsOf: URL(filePath: folder.file("\(name)/labels.csv")))
    }

    /// Starts a scan and kills it at the first message of which `moment` is true.
    private func kill(when moment: (WorkerMessage) -> Bool) throws -> WorkerProcess.Result {
        let worker = try WorkerProcess(
            WorkerTask(kind: made.analysis(), outputDirectory: folder.file("killed")))
        let result = try worker.wait { if moment($0) { worker.send(SIGKILL) } }
        #expect(result.status == -SIGKILL && !result.isFinished)
        return result
    }

    @Test func aWorkerKilledInTheBoundaryAnalysisStartsItAgain() throws {
        let killed = try kill {
            if case .progress(let progress) = $0 { progress.fraction < 1 } else { false }
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("killed/analysis.bin")))
        #expect(killed.reports.allSatisfy { if case .log = $0 { true } else { false } })
        let again = try WorkerProcess.run(made.analysis(), in: folder.file("killed"))
        try #require(again.isFinished, "\(again)")
        #expect(again.settled == made.undisturbed.settled)
        #expect(try labels("killed") == made.labels)
    }

    @Test(arguments: [(Phase.boundaryAnalysis, "analysis.bin"), (.detection, "detection.bin")])
    func aWorkerKilledAfterAPhaseGoesOnFromThere(phase: Phase, file: String) throws {
        let killed = try kill { if case .phaseFinished(phase, _, _) = $0 { true } else { false } }
        let results = folder.file("killed/\(file)")
        let written = try FileManager.default.attributesOfItem(atPath: results)[.modificationDate] as? Date
        let again = try WorkerProcess.run(made.analysis(), in: folder.file("killed"))
        try #require(again.isFinished, "\(again)")
        // The phase is not run again: its report is the first attempt's, to the second.
        #expect(
            try FileManager.default.attributesOfItem(atPath: results)[.modificationDate] as? Date == written)
        let ended = killed.reports.filter {
            if case .phaseFinished(phase, _, _) = $0 { true } else { false }
        }
        #expect(ended.count == 1 && again.reports.contains(ended[0]))
        #expect(again.reports.prefix(killed.reports.count) == killed.reports[...])
        let progress = again.messages.filter {
            if case .progress(let progress) = $0 { progress.phase == phase } else { false }
        }
        #expect(progress.isEmpty)
        #expect(again.settled == made.undisturbed.settled)
        #expect(try labels("killed") == made.labels)
    }

    @Test func aDamagedCheckpointIsMadeAgain() throws {
        _ = try kill { if case .phaseFinished(.boundaryAnalysis, _, _) = $0 { true } else { false } }
        let table = URL(filePath: folder.file("killed/analysis.bin"))
        try Data(contentsOf: table).dropLast(5).write(to: table)
        let again = try WorkerProcess.run(made.analysis(), in: folder.file("killed"))
        #expect(again.isFinished, "\(again)")
        #expect(try labels("killed") == made.labels)
    }

    enum Stop: CaseIterable { case endOfInput, signal }

    @Test(arguments: Stop.allCases)
    func cancellationStopsTheWorkerWithinTwoSeconds(how: Stop) throws {
        let worker = try WorkerProcess(
            WorkerTask(kind: made.analysis(), outputDirectory: folder.file("cancelled")))
        var cancelled: ContinuousClock.Instant?
        let result = try worker.wait { message in
            guard cancelled == nil, case .progress = message else { return }
            cancelled = .now
            switch how {
            case .endOfInput: try worker.closeInput()
            case .signal: worker.send(SIGTERM)
            }
        }
        #expect(ContinuousClock.now - (try #require(cancelled)) < .seconds(2))
        let problem = try #require(result.problem, "\(result)")
        #expect(problem.category == .cancelled && problem.code == "cancelled", "\(problem)")
        #expect(result.status == 1)
    }

    @Test func trainingIsCancelledToo() throws {
        let training = WorkerTask.Train(
            model: PoisonedCase.network, dataset: made.dataset, options: JobOptions(), epochs: 1000,
            learningRate: 0.05, output: "model.pt2")
        let worker = try WorkerProcess(
            WorkerTask(kind: .train(training), outputDirectory: folder.file("cancelled")))
        let result = try worker.wait { if case .progress = $0 { worker.send(SIGTERM) } }
        #expect(result.problem?.category == .cancelled, "\(result)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("cancelled/model.pt2")))
    }
}
