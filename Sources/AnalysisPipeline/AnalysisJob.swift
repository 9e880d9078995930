import Burn
import Execution
import Findings
import Foundation
import ModelFormats
import PackedDataset
import Support
import Tensors
import WorkerProtocol

/// One scan or purification: the phases of the method in order, each a durable step in `directory`.
///
/// The same model, data set, options and seed give the same verdict and labels.
public struct AnalysisJob {
    let task: WorkerTask.Analyse
    let directory: String
    let token: CancellationToken
    let report: @Sendable (WorkerMessage) -> Void
    let file: ModelFile
    let model: GraphModel
    let images: LabelledImages
    let evaluator: Evaluator?
    /// What the user vouches for; nil where nothing was given.
    let trusted: TrustedImages?
    /// What people decided about samples.
    let reviews: Reviews
    let threads: Int
    /// Bytes that its worker may use; nil for no limit, or one that is not of this kind of memory.
    let memory: Int?
    /// Nil where this worker does it alone.
    let helpers: Helpers?

    /// Opens and checks the inputs.
    public init(
        _ task: WorkerTask.Analyse, directory: String, token: CancellationToken, memory: Int? = nil,
        helpers: Helpers? = nil,
        report: @escaping @Sendable (WorkerMessage) -> Void
    ) throws {
        self.task = task
        self.directory = directory
        self.token = token
        self.report = report
        self.helpers = helpers
        self.memory = memory
        threads = Self.threads(task.options)
        try Threads.setCurrent(threads)
        (file, model, images) = try Self.open(task)
        helpers?.use(model, images)
        evaluator = try Self.evaluator(task, file)
        trusted = try task.trusted.map { [file] path in
            try TrustedImages(
                Self.userSet(path, at: "/options/trusted", task, file), seed: task.options.methodSeed)
        }
        reviews =
            try task.reviews.map { [images] path in
                Reviews(try ReviewFile.read(path, samples: images.count, classes: images.classes))
            } ?? .none
        guard (0...20).contains(task.options.rounds) else {
            throw Problem(
                .unprocessable, code: "option-out-of-range", title: "An option is out of range",
                detail: "rounds is \(task.options.rounds)", location: "options.rounds",
                fix: "choose 0 to 20 rounds")
        }
    }

    /// That a task computes on: what its options say, within what there is.
    public static func threads(_ options: JobOptions) -> Int {
        max(1, min(options.threads ?? Int.max, ProcessInfo.processInfo.activeProcessorCount))
    }

    /// Its model and its training set.
    static func open(
        _ task: WorkerTask.Analyse
    ) throws -> (file: ModelFile, model: GraphModel, images: LabelledImages) {
        let set = try PackedDataset(directory: task.dataset)
        let size = ImageSize(height: set.height, width: set.width)
        let file = try openModel(at: task.model, skeleton: task.skeleton, images: size)
        let model = try GraphModel(
            graph: file.graph, weights: file.weights, seed: task.options.seed, read: file.readWeight)
        let images = try LabelledImages(
            set, for: file.graph, options: task.options, modelNames: file.summary.classNames)
        return (file, model, try images.measured(by: model))
    }

    /// Runs to the end, from the last finished phase on. Throws `CancellationError` when the token says so.
    public func run() throws {
        if let memory {
            let need = MemoryNeed(
                task.type, weights: model.weightBytes, batches, threads: threads)
            report(.log("memory: \(need.description); the worker may use \(MemoryNeed.text(memory))"))
            try need.require(within: memory)
        }
        let plan = WorkPlan(
            WorkPlan.steps(
                task.type, task.options, samples: images.count, classes: images.classes,
                values: imageValues),
            passes: model.passes, report: report)
        let meter = CostMeter(model: model, images: images)
        if task.options.precision == .auto, let trial = try PrecisionTrial.run(model, images, token: token) {
            report(.log("precision: \(trial.description)"))
        }
        let agreement = try checkedAgreement()
        let agreementCost = meter.end(of: .agreement, .boundaryAnalysis)
        let before = try answers(of: model, help: helpers)
        if let metrics = metrics(of: before, verdict: nil) {
            report(.evaluation(PurificationMetrics(before: metrics)))
        }
        let store = try perturbationStore("gradients.f16")
        // What lies between the phases, and is none of theirs.
        var between = meter.end(of: .evaluation, .evaluation)
        let boundary = try boundaryAnalysis(store, plan, spent: agreementCost)
        var diagnosis = try detection(boundary, store, agreement, plan)
        diagnosis.apply(reviews)
        let rest = CostMeter(model: model, images: images)
        try boundary.analyse(diagnosis.flagged.indices.filter { diagnosis.flagged[$0] })
        if task.evaluation?.targetClass == nil, let metrics = metrics(of: before, verdict: diagnosis.verdict)
        {
            report(.evaluation(PurificationMetrics(before: metrics)))
        }
        let treatable =
            diagnosis.verdict.result == .backdoored
            || (diagnosis.verdict.result == .suspicious && task.options.force)
            || diagnosis.reviews.namesPoison
        let isTreated = task.type == .purify && treatable
        if isTreated { try boundary.complete(TrainingPool.trusted(diagnosis, images)) }
        let purification = try Purification(
            context: MethodRun(
                model: model, images: images, trusted: trusted, options: task.options,
                purifies: task.type == .purify, token: token, observer: plan,
                steps: DurableSteps(directory: directory, journal: journal, file: file)),
            boundary: boundary, store: store, diagnosis: diagnosis)
        between.add(rest.end(of: .evaluation, .evaluation))
        let result =
            isTreated
            ? try purification.run()
            : Purification.Result(
                model: nil, restoration: try purification.initialRestoration(), flagged: diagnosis.flagged)
        let restoration = rest.end(of: .evaluation, .evaluation)
        // A purification has reported what it did before its last step.
        between.add(isTreated ? result.spent ?? restoration : restoration)
        try finish(result, diagnosis, boundary.table, before: before, spent: between)
    }

    /// Of the largest set that goes through the model.
    private var batches: BatchSizes {
        var batches = images.batches
        let sets = [evaluator?.clean?.count, evaluator?.triggered?.count].compactMap(\.self)
        batches.count = max(batches.count, sets.max() ?? 0)
        return batches
    }

    var journal: PhaseJournal { PhaseJournal(directory: directory, report: report) }

    private func finish(
        _ result: Purification.Result, _ diagnosis: Diagnosis, _ table: AnalysisTable,
        before: Evaluator.Answers?, spent: StageCost
    ) throws {
        var cost = spent
        let (clock, meter) = (PhaseClock(), CostMeter(model: model, images: images))
        let writer = FindingsWriter(
            images: images, table: table, diagnosis: diagnosis, restoration: result.restoration,
            flagged: result.flagged)
        try writer.writeLabels(to: directory + "/labels.csv")
        writer.report(report)
        var verdict = diagnosis.verdict
        verdict.evidence.statements += result.statements
        if result.treatment != nil { verdict.evidence.statements += WeightStatements.purified(file.summary) }
        if task.type == .purify, verdict.result == .undetermined, result.model == nil, result.shortfall == nil
        {
            verdict.evidence.statements.insert(
                "Nothing was purified, since nothing could be determined: the model given back is the upload.",
                at: 0)
        }
        if verdict != diagnosis.verdict { report(.verdict(verdict)) }
        report(.artifact(WorkerArtifact(role: .correctedLabels, file: "labels.csv")))
        if task.type == .purify {
            try ModelWeights.write(result.model, from: file, to: directory + "/purified.pt2")
            report(.artifact(WorkerArtifact(role: .purifiedModel, file: "purified.pt2")))
        }
        var after: Evaluator.Answers?
        if task.type == .purify, let metrics = metrics(of: before, verdict: diagnosis.verdict) {
            after = try result.model.map { try answers(of: $0) } ?? before
            report(
                .evaluation(
                    PurificationMetrics(
                        before: metrics, after: self.metrics(of: after, verdict: diagnosis.verdict))))
        }
        report(.assessment(assessment(result, before: before, after: after)))
        cost.add(meter.end(of: .evaluation, .evaluation))
        report(.metrics(cost.points))
        report(.phaseFinished(.evaluation, round: 0, seconds: clock.seconds))
    }
}
