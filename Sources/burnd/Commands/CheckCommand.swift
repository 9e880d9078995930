import API
import ArgumentParser
import Commands
import Findings
import Foundation
import PackedDataset
import Support
import Synchronization
import UnixSignals
import WorkerProtocol
import Workers

/// Says all that is wrong with a model and a data set, without a job.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says whether a model and a data set can be used, and what to change.",
        discussion: """
            Every image is decoded, and the model is asked about at most 2,048 of them: do its predictions agree with \
            the labels, and if not, does another order of the classes or another scaling fit? Exit codes: 0 both can be used, 2 something has to be changed, \
            1 failure, 64 wrong usage. Packed images go to TMPDIR for the time being.
            """)

    /// Something is wrong with the inputs, and was said.
    static let wrong = ExitCode(2)

    @Argument(
        help: "The model: a .pt2 file of torch.export.save, ONNX, or weights alone (.safetensors, .pth).")
    var model: String

    @Argument(help: "The images it was trained on: a folder, an archive or an array file.")
    var dataset: String?

    @Argument(help: "Further archives or Parquet files of the same set.")
    var parts: [String] = []

    @OptionGroup var imports: InputOptions

    @OptionGroup var scaling: ScalingOptions

    @Option(help: ArgumentHelp("The class order, to be checked too: as for scan.", valueName: "file"))
    var classes: String?

    @Option(help: "Seeds the choice of images.")
    var seed: UInt64 = 0

    @Flag(help: "Do not count it as wrong that predictions and labels disagree.")
    var acceptDisagreement = false

    @Flag(help: "Print the result as JSON on standard output.")
    var json = false

    @Option(help: "The burn-worker program. Default: the one beside burnd.")
    var worker: String?

    /// What was found.
    struct Report: Encodable {
        var model: ModelSummary?
        var dataset: DatasetSummary?
        /// How far predictions and labels agree; null where that could not be measured.
        var agreement: Agreement?
        /// Orders of the classes that fit better, the best first.
        var orders: [SuggestedOrder] = []
        /// Another scaling that fits better.
        var scaling: SuggestedScaling?
        /// The output that each class stands for.
        var classes: [ClassOutput] = []
        /// What is worth knowing and no reason to refuse.
        var remarks: [String] = []
        var problems: [ProblemResource] = []
    }

    struct ClassOutput: Encodable {
        var name: String
        var output: Int
        /// What the model's file calls this output.
        var modelName: String?

        enum CodingKeys: String, CodingKey {
            case name, output
            case modelName = "model_name"
        }
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
        var packed = ""
        var modelPath = ""
        do {
            modelPath = try await ModelInput.file(model, scratch: scratch)
            report.model = try await worker.probe(modelPath, imports.modelSkeleton, scratch: scratch)
        } catch let problem as Problem where problem.isAboutInput {
            problems.append(problem)
        }
        if let dataset {
            do {
                (report.dataset, packed) = try await packedSet(dataset, worker, scratch: scratch)
            } catch let problem as Problem where problem.isAboutInput {
                problems.append(problem)
            }
        }
        if let model = report.model, let dataset = report.dataset {
            var options = JobOptions(seed: seed, input: scaling.input, acceptDisagreement: acceptDisagreement)
            do {
                if let classes { options.classes = try OptionRules.classMapping(file: classes) }
                problems += OptionRules.mismatches(model: model, dataset: dataset, options: options)
                let order = try? OptionRules.classOrder(
                    model: model, dataset: dataset, mapping: options.classes)
                report.describe(order, model, dataset)
                // Where only the order is unknown, the predictions suggest one.
                if problems.isEmpty || (problems.allSatisfy { $0.code == "classes-mismatch" } && order != nil)
                {
                    let folder = try LocalWorker.makeFolder(scratch, "agreement")
                    try await compare(worker, modelPath, packed, options, folder, &report, &problems)
                }
            } catch let problem as Problem where problem.isAboutInput {
                problems.append(problem)
            }
        }
        problems = problems.map(CommandWords.translated)
        report.problems = problems.map { ProblemResource($0) }
        return (report, problems)
    }

    /// Measures how far predictions and labels agree.
    private func compare(
        _ worker: LocalWorker, _ path: String, _ packed: String, _ options: JobOptions, _ folder: String,
        _ report: inout Report, _ problems: inout [Problem]
    ) async throws {
        let task = WorkerTask(
            kind: .agreement(
                .init(model: path, skeleton: imports.modelSkeleton, dataset: packed, options: options)),
            outputDirectory: folder)
        let answer = Mutex(AgreementFinding?.none)
        try await worker.run(task, label: { _ in "compare predictions with labels" }) { message in
            if case .agreement(let found) = message { answer.withLock { $0 = found } }
        }
        guard let found = answer.withLock({ $0 }) else {
            throw LocalWorker.silent("The worker said nothing of predictions and labels.")
        }
        report.agreement = found.agreement
        report.orders = found.orders
        report.scaling = found.scaling
        guard let problem = found.problem else {
            report.remarks = found.remarks
            return
        }
        if acceptDisagreement {
            report.agreement?.accepted = problem.detail
            report.remarks = [problem.detail]
        } else {
            problems.append(problem)
        }
    }

    private func packedSet(_ dataset: String, _ worker: LocalWorker, scratch: String) async throws
        -> (DatasetSummary, folder: String)
    {
        let source = try existingFile(dataset, option: "DATASET")
        if FileManager.default.fileExists(atPath: source + "/manifest.json") {
            try imports.requireNone(packed: dataset)
            return (try PackedDataset(directory: source).summary, source)
        }
        let folder = try LocalWorker.makeFolder(scratch, "dataset")
        let summary = try await worker.importSet(
            source, try parts.map { try existingFile($0, option: "DATASET") }, into: folder,
            name: "dataset", options: imports.importOptions)
        return (summary, folder)
    }

    private static func show(_ report: Report, _ problems: [Problem]) {
        if let model = report.model {
            print(
                "model    \(model.format), input \(model.inputSizes(by: " x ")) \(model.inputType), \(model.classes) classes, "
                    + "\(model.parameters) parameters")
            if let copies = model.weightCopies {
                let names = copies.map { "\"\($0.name)\"\($0.isAnalysed ? " (looked at)" : "")" }
                print("         weights found under \(names.joined(separator: ", "))".inOneLine)
            }
            if let kept = model.keptTensors {
                let names = kept.prefix(8).joined(separator: ", ") + (kept.count > 8 ? ", …" : "")
                print("         kept as they are, none of the network's: \(names)".inOneLine)
            }
            if let conversion = model.conversion { print("         \(conversion)".inOneLine) }
            if let output = model.output { print("         logits: output \(output)".inOneLine) }
        }
        if let set = report.dataset {
            print(
                "dataset  \(set.format), \(set.samples) images of \(set.width) x \(set.height) with "
                    + "\(set.channels) channels, \(set.classes.count) classes, \(set.packedBytes) bytes packed"
            )
            for sentence in set.reading?.sentences ?? [] { print("         \(sentence.inOneLine)") }
        }
        printOrder(report)
        for remark in report.remarks { print("note     \(remark.inOneLine)") }
        for problem in problems { print("\nproblem  \(problem)") }
        print(problems.isEmpty ? "\nNothing is wrong." : "\n\(problems.count) to be changed.")
    }
}

extension CheckCommand {
    private static let mostClassesShown = 50

    /// Which output each class stands for, and how many of its samples the model agrees about.
    private static func printOrder(_ report: Report) {
        guard !report.classes.isEmpty else { return }
        let measured = Dictionary(
            (report.agreement?.classes ?? []).map { ($0.label, $0) }, uniquingKeysWith: { first, _ in first })
        print("classes  \(report.classOrder)")
        for row in report.classes.prefix(mostClassesShown) {
            var line = "         \"\(row.name)\" = model output \(row.output)"
            if let name = row.modelName { line += " (\(name))" }
            if let found = measured[row.output], found.samples > 0 {
                line += ": \(precisePercent(found.share)) of \(found.samples) samples agree"
                if let other = found.otherLabel, let share = found.otherShare {
                    line += ", \(precisePercent(share)) are predicted as \(other)"
                    if let name = found.otherName, name != String(other) { line += " \"\(name)\"" }
                }
            }
            print(line.inOneLine)
        }
        if report.classes.count > mostClassesShown {
            print("         … \(report.classes.count) in all")
        }
    }
}

extension CheckCommand.Report {
    /// How the order is known, in words.
    var classOrder: String {
        switch agreement?.classOrder {
        case .given: "in the order that --classes gives"
        case .modelNames: "found among the names that the model's file has for its outputs"
        case .imageNet: "as ImageNet's thousand classes are ordered"
        case .numbers: "by their numbers"
        case .sorted: "in the order of their sorted names"
        case nil: ""
        }
    }

    fileprivate mutating func describe(_ order: ClassOrder?, _ model: ModelSummary, _ dataset: DatasetSummary)
    {
        guard let order else { return }
        classes = zip(dataset.classes, order.outputs).map { item, output in
            .init(
                name: item.name, output: output,
                modelName: model.classNames.flatMap { $0.indices.contains(output) ? $0[output] : nil })
        }
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
