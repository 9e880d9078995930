import Foundation
import Support
import WorkerProtocol

/// What finished phases reported, kept beside their results: an attempt that goes on after them reports it
/// again, since the service may have missed it. The service takes every report once.
struct PhaseJournal {
    let directory: String
    let report: @Sendable (WorkerMessage) -> Void

    /// Reports a finished phase whose results are on disk.
    func finish(_ name: String, _ messages: [WorkerMessage]) throws {
        try DurableFile.write(JSONEncoder().encode(messages), to: path(name))
        messages.forEach(report)
    }

    /// Reports what the phase reported when it finished; false when it has not, or its journal is not whole.
    func replay(_ name: String) throws -> Bool {
        guard let messages = messages(name) else { return false }
        messages.forEach(report)
        return true
    }

    /// Whether a phase has finished, so that `replay` will report it.
    func holds(_ name: String) -> Bool { messages(name) != nil }

    /// Nil for a journal that is not there, or not whole.
    private func messages(_ name: String) -> [WorkerMessage]? {
        FileManager.default.contents(atPath: path(name)).flatMap {
            try? JSONDecoder().decode([WorkerMessage].self, from: $0)
        }
    }

    /// The phases of which it is true did not finish.
    func forget(_ isForgotten: (String) -> Bool) throws {
        for file in try FileManager.default.contentsOfDirectory(atPath: directory)
        where file.hasSuffix(Self.suffix) && isForgotten(String(file.dropLast(Self.suffix.count))) {
            try FileManager.default.removeItem(atPath: directory + "/" + file)
        }
    }

    private static let suffix = ".journal.json"

    private func path(_ name: String) -> String { directory + "/\(name)\(Self.suffix)" }
}
