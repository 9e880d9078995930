import API
import Commands
import Findings
import Foundation
import Support
import Synchronization
import WorkerProtocol
import Workers

/// Looks for all that a job would be refused for, by the checks of a job.
struct InputCheck {
    let arguments: CheckCommand
    let worker: LocalWorker
    let scratch: String
    private(set) var report: CheckReport
    private(set) var problems: [Problem] = []
    private var modelFile = ""
    private var folder = ""
    private var others: [JobInputs.OtherSet: String] = [:]

    /// The class order that was given; nil for none.
    private struct OrderFile {
        var classes: [String: Int]?
    }

    /// - Throws: `Problem` for a parameter that there isn't, or that can't have the value.
    init(arguments: CheckCommand, worker: LocalWorker, scratch: String) throws {
        self.arguments = arguments
        self.worker = worker
        self.scratch = scratch
        report = try CheckReport(options: arguments.settings.options(trusted: arguments.sets.trusted))
    }

    /// - Throws: faults of the program and cancellation; what is wrong with the inputs is in the report.
    mutating func run() async throws {
        try await readModel()
        try await readSets()
        let settings = arguments.settings
        let read = try await noted { OrderFile(classes: try settings.classMapping()) }
        report.options.classes = read?.classes
        if let model = report.model { try await check(model, isOrderKnown: read != nil) }
        problems = problems.map(CommandWords.translated)
        report.problems = problems.map { ProblemResource($0) }
    }

    private mutating func readModel() async throws {
        let (path, imports) = (arguments.model, arguments.imports)
        let read = try await noted { [worker, scratch] in
            let file = try await ModelInput.file(path, scratch: scratch)
            return (
                file,
                try await worker.probe(
                    file, name: path, imports.givenSkeleton(), scratch: scratch)
            )
        }
        guard let read else { return }
        (modelFile, report.model) = read
    }

    private mutating func readSets() async throws {
        let packer = SetPacker(worker: worker, imports: arguments.imports, scratch: scratch)
        if let path = arguments.dataset {
            let parts = arguments.parts
            let packed = try await noted { try await packer.dataset(path, parts: parts) }
            (folder, report.dataset) = (packed?.folder ?? "", packed?.summary)
        }
        for other in JobInputs.OtherSet.allCases {
            guard let path = arguments.sets.path(of: other) else { continue }
            let packed = try await noted { try await packer.other(path, as: other) }
            (others[other], report[other]) = (packed?.folder, packed?.summary)
        }
    }

    /// - Parameter isOrderKnown: false where there is a file of the class order that can't be used.
    private mutating func check(_ model: ModelSummary, isOrderKnown: Bool) async throws {
        let options = report.options
        var inputs = JobInputs(model: model, options: options, targetClass: arguments.sets.targetClass)
        inputs.dataset = report.dataset
        for other in JobInputs.OtherSet.allCases { inputs.others[other] = report[other] }
        let found = inputs.problems
        problems += isOrderKnown ? found : found.filter { $0.code != "classes-mismatch" }
        let target = arguments.sets.targetClass.flatMap { (0..<model.classes).contains($0) ? $0 : nil }
        report.targetClass = target
        guard isOrderKnown, let dataset = report.dataset else { return }
        let order = try? OptionRules.classOrder(model: model, dataset: dataset, mapping: options.classes)
        report.describe(order, model, dataset)
        // Where only the order is unknown, the predictions suggest one.
        let mismatches = OptionRules.mismatches(model: model, dataset: dataset, options: options)
        guard mismatches.isEmpty || (mismatches.allSatisfy { $0.code == "classes-mismatch" } && order != nil)
        else { return }
        let sound = others.filter { inputs.problems(of: $0.key).isEmpty }
        let task = WorkerTask(
            kind: .agreement(
                .init(
                    type: .scan, model: modelFile, skeleton: arguments.imports.modelSkeleton, dataset: folder,
                    others: sound, targetClass: target, options: options)),
            outputDirectory: try LocalWorker.makeFolder(scratch, "agreement"))
        if let found = try await noted({ [worker] in try await Self.compare(task, worker) }) { take(found) }
    }

    /// Opens what a job would, and measures how far predictions and labels agree.
    private static func compare(_ task: WorkerTask, _ worker: LocalWorker) async throws -> AgreementFinding {
        let answer = Mutex(AgreementFinding?.none)
        try await worker.run(task, label: { _ in "compare predictions with labels" }) { message in
            if case .agreement(let found) = message { answer.withLock { $0 = found } }
        }
        guard let found = answer.withLock({ $0 }) else {
            throw LocalWorker.silent("The worker said nothing of predictions and labels.")
        }
        return found
    }

    private mutating func take(_ found: AgreementFinding) {
        report.agreement = found.agreement
        report.orders = found.orders
        report.scaling = found.scaling
        guard let problem = found.problem else {
            report.remarks = found.remarks.map(CommandWords.translated(text:))
            return
        }
        if arguments.settings.acceptDisagreement {
            report.agreement?.accepted = problem.detail
            report.remarks = [problem.detail]
        } else {
            problems.append(problem)
        }
    }

    /// - Returns: nil where something is wrong with the inputs, which is noted.
    private mutating func noted<Value>(_ work: () async throws -> Value) async throws -> Value? {
        do {
            return try await work()
        } catch let problem as Problem where problem.isAboutInput {
            problems.append(problem)
            return nil
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
