import ArgumentParser
import Burn
import Execution
import Findings
import Foundation
import Support
import Tensors

/// Asks whether the detection's p-values are uniform where nothing is hidden.
struct CalibrationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibration",
        abstract:
            "Writes the statistics and p-values of every test of the detection, for models whose truth is known.",
        discussion: """
            CASE is a folder of `burn-bench attacks` (model.pt2, classes.json, train/). Cases that the file holds already are \
            not run again. Benchmarks/calibration.py compares the p-values of clean models with the uniform distribution, and \
            draws the figure of docs/method.md from the JSON lines.
            """)

    @Argument(help: "Folders of cases.")
    var cases: [String]
    @Option(help: "Chooses the method's random numbers.")
    var seed: UInt64 = 1
    @Option(help: "Intra-op threads.")
    var threads = 1
    @Option(
        help: ArgumentHelp(
            "Where the JSON lines go; cases that it holds are not run again.", valueName: "file"))
    var output: String

    func validate() throws {
        guard (1...1024).contains(threads) else { throw ValidationError("--threads is from 1 to 1,024.") }
    }

    func run() throws {
        do {
            try LibTorch.checkVersion()
            try Threads.setCurrent(threads)
            let target = URL(filePath: output)
            var lines =
                try FileManager.default.fileExists(atPath: output)
                ? String(contentsOf: target, encoding: .utf8).split(whereSeparator: \.isNewline).map(
                    String.init)
                : []
            let known = try Set(
                lines.map { try JSONDecoder().decode(Calibration.self, from: Data($0.utf8)).name })
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            for folder in cases where !known.contains(folder) {
                let found = try calibrate(folder)
                lines.append(String(decoding: try encoder.encode(found), as: UTF8.self))
                try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: target, options: .atomic)
                BenchDisplay.note(
                    "\(folder): \(found.result), \(found.flagged) flagged, \(Int(found.seconds)) s")
            }
        } catch let problem as Problem {
            BenchDisplay.note("burn-bench: \(problem)")
            throw ExitCode.failure
        }
    }

    private func calibrate(_ name: String) throws -> Calibration {
        let clock = PhaseClock()
        let known = try KnownCase(URL(filePath: name), seed: seed)
        let work = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: work) }
        let outcome = try detect(known, work.path)
        return Calibration(
            name: name, result: outcome.verdict.result.rawValue, classes: known.images.classes,
            samples: known.images.count, flagged: outcome.flagged.count { $0 }, tests: outcome.tests,
            seconds: clock.seconds)
    }

    private func detect(_ known: KnownCase, _ directory: String) throws -> Detection.Outcome {
        let (model, images, options) = (known.model, known.images, known.options)
        let token = try CancellationToken()
        let values = images.dataset.channels * images.dataset.height * images.dataset.width
        func store(_ file: String) throws -> PerturbationStore {
            try PerturbationStore(path: "\(directory)/\(file)", samples: images.count, values: values)
        }
        let survey = try GradientSurvey(
            model: model, images: images, store: store("gradients.f16"), threads: threads, token: token)
        let screen = Screen(Parameters()).samples(labels: images.labels, seed: options.methodSeed)
        let boundary = BoundaryAnalysis(
            try survey.run(screen), survey: survey, store: try store("descents.f16"),
            method: options.distance)
        return try Detection(
            model: model, images: images, boundary: boundary, store: survey.store, directory: directory,
            options: options, threads: threads, token: token
        ).run { _ in }
    }
}

/// What the detection found of one model.
struct Calibration: Codable {
    /// The folder of the case.
    var name: String
    var result: String
    var classes: Int
    var samples: Int
    var flagged: Int
    var tests: [TestRecord]
    var seconds: Double
}
