import API
import ArgumentParser
import Findings
import Foundation
import PackedDataset
import Problems
import UnixSignals
import WorkerSupervisor

/// Says all that is wrong with a model and a data set, without a job.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says whether a model and a data set can be used, and what to change.",
        discussion: """
            Every image is decoded. Exit codes: 0 both can be used, 2 something has to be changed, \
            1 failure, 64 wrong usage. Packed images go to TMPDIR for the time being.
            """)

    /// Something is wrong with the inputs, and was said.
    static let wrong = ExitCode(2)

    @Argument(
        help: "The model: a .pt2 file of torch.export.save, ONNX, or weights alone (.safetensors, .pth).")
    var model: String

    @Argument(help: "The images it was trained on: a folder, an archive or an array file.")
    var dataset: String?

    @OptionGroup var imports: InputOptions

    @Option(help: ArgumentHelp("The class order, to be checked too: as for scan.", valueName: "file"))
    var classes: String?

    @Flag(help: "Print the result as JSON on standard output.")
    var json = false

    @Option(help: "The burn-worker program. Default: the one beside burnd.")
    var worker: String?

    /// What was found.
    struct Report: Encodable {
        var model: ModelSummary?
        var dataset: DatasetSummary?
        var problems: [ProblemResource] = []
    }

    func run() async throws {
        try await reportingProblems {
            let control = WorkerControl()
            let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
            let listener = Task { for await _ in signals { control.cancel() } }
            defer { listener.cancel() }
            let program = try LocalWorker(executable: worker, control: control)
            let (report, problems) = try await withScratchFolder { try await check(program, scratch: $0) }
            if json { try printJSON(report) } else { Self.show(report, problems) }
            if !problems.isEmpty { throw Self.wrong }
        }
    }

    /// - Throws: faults of the program and cancellation; what is wrong with the inputs is in the report.
    private func check(_ worker: LocalWorker, scratch: String) async throws -> (Report, [Problem]) {
        var report = Report()
        var problems: [Problem] = []
        do {
            let path = try LocalWorker.existing(model, option: "MODEL")
            report.model = try await worker.probe(path, imports.modelSkeleton, scratch: scratch)
        } catch let problem as Problem where problem.isAboutInput {
            problems.append(problem)
        }
        if let dataset {
            do {
                report.dataset = try await summary(of: dataset, worker, scratch: scratch)
            } catch let problem as Problem where problem.isAboutInput {
                problems.append(problem)
            }
        }
        if let model = report.model, let dataset = report.dataset {
            var options = JobOptions()
            do {
                if let classes { options.classes = try OptionRules.classMapping(file: classes) }
                problems += OptionRules.mismatches(model: model, dataset: dataset, options: options)
            } catch let problem as Problem where problem.isAboutInput {
                problems.append(problem)
            }
        }
        report.problems = problems.map { ProblemResource($0) }
        return (report, problems)
    }

    private func summary(of dataset: String, _ worker: LocalWorker, scratch: String) async throws
        -> DatasetSummary
    {
        let source = try LocalWorker.existing(dataset, option: "DATASET")
        if FileManager.default.fileExists(atPath: source + "/manifest.json") {
            try imports.requireNone(packed: dataset)
            return try PackedDataset(directory: source).summary
        }
        let folder = try LocalWorker.makeFolder(scratch, "dataset")
        return try await worker.importSet(
            source, into: folder, name: "dataset", options: imports.importOptions)
    }

    private static func show(_ report: Report, _ problems: [Problem]) {
        if let model = report.model {
            let shape = model.inputShape.map { $0.map(String.init) ?? "N" }.joined(separator: " x ")
            print(
                "model    \(model.format), input \(shape) \(model.inputType), \(model.classes) classes, "
                    + "\(model.parameters) parameters")
        }
        if let set = report.dataset {
            print(
                "dataset  \(set.format), \(set.samples) images of \(set.width) x \(set.height) with "
                    + "\(set.channels) channels, \(set.classes.count) classes, \(set.packedBytes) bytes packed"
            )
            for sentence in set.reading?.sentences ?? [] { print("         \(sentence.inOneLine)") }
        }
        for problem in problems { print("\nproblem  \(problem)") }
        print(problems.isEmpty ? "\nNothing is wrong." : "\n\(problems.count) to be changed.")
    }
}

extension Problem {
    /// Whether the user's files are at fault, and not the program, its machine or a signal.
    fileprivate var isAboutInput: Bool {
        switch category {
        case .malformed, .notFound, .tooLarge, .unsupportedFormat, .unprocessable, .conflict: true
        default: false
        }
    }
}
