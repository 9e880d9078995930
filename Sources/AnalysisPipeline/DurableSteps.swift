import Burn
import Execution
import Foundation
import ModelFormats
import Support
import WorkerProtocol

/// Finished steps in the job's directory: what they reported, their weights in the upload's format, their notes.
struct DurableSteps: StepStore {
    let directory: String
    let journal: PhaseJournal
    /// The upload.
    let file: ModelFile

    func replay(_ step: String) throws -> Bool { try journal.replay(step) }

    func finish(_ step: String, _ events: [RunEvent]) throws {
        try journal.finish(step, events.map(WorkerMessage.init))
    }

    func model(of step: String, like model: GraphModel) throws -> GraphModel? {
        try ModelWeights.read(weights(step), of: file, like: model)
    }

    func keep(_ model: GraphModel, of step: String) throws {
        try ModelWeights.write(model, from: file, to: weights(step))
    }

    func note(of step: String) throws -> String? {
        FileManager.default.contents(atPath: path(ofNote: step)).map { String(decoding: $0, as: UTF8.self) }
    }

    func keep(note: String, of step: String) throws {
        try DurableFile.write(Data(note.utf8), to: path(ofNote: step))
    }

    private func weights(_ step: String) -> String { directory + "/\(step).pt2" }
    private func path(ofNote step: String) -> String { directory + "/\(step).txt" }
}

extension WorkerMessage {
    init(_ event: RunEvent) {
        self =
            switch event {
            case .metrics(let points): .metrics(points)
            case .curve(let points): .curve(points)
            case .phaseFinished(let phase, let round, let seconds):
                .phaseFinished(phase, round: round, seconds: seconds)
            }
    }
}
