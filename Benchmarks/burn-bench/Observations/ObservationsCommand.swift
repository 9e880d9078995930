import ArgumentParser
import AttackBench
import Burn
import Execution
import Foundation
import Support
import Tensors

/// Measures on models of the attack benchmark what BURN's paper observes of poisoned samples.
struct ObservationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "observations",
        abstract: "Measures distances, adversarial labels and features of poisoned and of clean samples.",
        discussion: """
            CASE is a folder of `burn-bench attacks` (model.pt2, classes.json, train/, truth.csv). Benchmarks/observations.py \
            draws the figures of docs/method.md from the JSON.
            """)

    @Argument(help: "Folders of cases.")
    var cases: [String]
    @Option(help: "Samples of each kind that are pushed over the boundary.")
    var samples = 500
    @Option(help: "Chooses the samples.")
    var seed: UInt64 = 1
    @Option(help: "Intra-op threads.")
    var threads = 1
    @Option(help: ArgumentHelp("Where the JSON goes.", valueName: "file"))
    var output: String

    func validate() throws {
        guard (10...10_000).contains(samples) else {
            throw ValidationError("--samples is from 10 to 10,000.")
        }
        guard (1...1024).contains(threads) else { throw ValidationError("--threads is from 1 to 1,024.") }
    }

    func run() throws {
        do {
            try LibTorch.checkVersion()
            try Threads.setCurrent(threads)
            let observed = try cases.map { folder in
                BenchDisplay.note(folder)
                return try observe(URL(filePath: folder))
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try encoder.encode(observed).write(to: URL(filePath: output), options: .atomic)
            for item in observed { print(item.summary) }
        } catch let problem as Problem {
            BenchDisplay.note("burn-bench: \(problem)")
            throw ExitCode.failure
        }
    }

    private func observe(_ folder: URL) throws -> Observations {
        let known = try KnownCase(folder)
        return try Observer(
            model: known.model, images: known.images,
            truth: Self.truth(at: folder.appending(path: "truth.csv").path, of: known.images),
            token: CancellationToken()
        ).observe(folder.lastPathComponent, samples: samples, seed: seed)
    }

    /// By sample.
    private static func truth(at path: String, of images: LabelledImages) throws -> [SampleTruth] {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline)
        var known: [Substring: SampleTruth] = [:]
        for line in lines.dropFirst() {
            let fields = line.split(separator: ",")
            guard fields.count == 4, let label = Int(fields[2]),
                let role = SampleRole(rawValue: String(fields[3])), (0..<images.classes).contains(label)
            else { throw wrong(path, "The line “\(line)” is none of name, given label, true label, role.") }
            known[fields[0]] = SampleTruth(label: label, role: role)
        }
        return try (0..<images.count).map { sample in
            let name = SampleTruth.name(ofEntry: images.dataset.name(of: sample))
            guard let truth = known[name[...]] else {
                throw wrong(path, "It has no line for the sample `\(name)`.")
            }
            return truth
        }
    }

    private static func wrong(_ path: String, _ detail: String) -> Problem {
        Problem(
            .unprocessable, code: "truth-invalid", title: "The truth is not about these samples",
            detail: detail, location: path, fix: "Name a folder that `burn-bench attacks` made.")
    }
}
