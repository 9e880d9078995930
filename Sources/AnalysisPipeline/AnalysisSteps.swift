import Burn
import Execution
import Findings
import Foundation
import Tensors
import WorkerProtocol

/// The steps of a job that find out what is wrong, each durable.
extension AnalysisJob {
    /// The survey and, where that is asked for, the analysis of all samples.
    /// - Parameter spent: what came before it, which is reported with it.
    func boundaryAnalysis(
        _ store: PerturbationStore, _ plan: WorkPlan, spent: StageCost
    ) throws -> BoundaryAnalysis {
        let survey = GradientSurvey(
            model: model, images: images, store: store, threads: threads, token: token, help: helpers)
        if let table = try knownTable(), try journal.replay("analysis") {
            plan.skip(through: .boundaryAnalysis, round: 0)
            return try boundary(table, survey)
        }
        let (clock, meter) = (PhaseClock(), CostMeter(model: model, images: images))
        let analysesAll = task.options.analysesAllSamples
        let share = WorkPlan.surveyShare(task.options)
        let screen =
            analysesAll
            ? Array(0..<images.count)
            : Screen(task.options.parameters ?? Parameters()).samples(
                labels: images.labels, seed: task.options.methodSeed)
        var costs = [spent]
        let table = try survey.run(
            screen, progress: { plan.advance(.boundaryAnalysis, round: 0, $0 * share) },
            surveyed: { costs.append(meter.end(of: .survey, .boundaryAnalysis)) })
        if screen.count < images.count { costs.append(meter.end(of: .predictions, .boundaryAnalysis)) }
        let boundary = try boundary(table, survey)
        try store.synchronise()
        if analysesAll {
            try boundary.analyse(0..<images.count) {
                plan.advance(.boundaryAnalysis, round: 0, share + $0 * (1 - share))
            }
            costs.append(meter.end(of: .descents, .boundaryAnalysis))
        }
        try save(boundary, to: surveyPath)
        let seconds = clock.seconds
        let gradients = screen.count + boundary.gradients
        try journal.finish(
            "analysis",
            [
                .metrics(
                    [
                        MetricPoint(
                            phase: .boundaryAnalysis, name: "samples_per_second",
                            value: Double(images.count) / max(seconds, 1e-9)),
                        MetricPoint(
                            phase: .boundaryAnalysis, name: "gradients_per_sample",
                            value: Double(gradients) / Double(max(images.count, 1))),
                    ] + costs.flatMap(\.points)),
                .phaseFinished(.boundaryAnalysis, round: 0, seconds: seconds),
            ])
        return boundary
    }

    private func boundary(_ table: AnalysisTable, _ survey: GradientSurvey) throws -> BoundaryAnalysis {
        BoundaryAnalysis(
            table, survey: survey, store: try perturbationStore("descents.f16"),
            method: task.options.distance)
    }

    func perturbationStore(_ file: String) throws -> PerturbationStore {
        try PerturbationStore(
            path: "\(directory)/\(file)", samples: images.count, values: imageValues)
    }

    /// Numbers of one image.
    var imageValues: Int { images.dataset.channels * images.dataset.height * images.dataset.width }

    private var surveyPath: String { directory + "/analysis.bin" }
    /// With what the detection analysed on the way.
    private var descentsPath: String { directory + "/descents.bin" }

    private func knownTable() throws -> AnalysisTable? {
        guard let survey = try AnalysisTable(path: surveyPath, count: images.count) else { return nil }
        // A detection that is made again begins where the first one did.
        guard try knownDiagnosis() != nil else { return survey }
        return try AnalysisTable(path: descentsPath, count: images.count) ?? survey
    }

    private var diagnosisPath: String { directory + "/detection.bin" }

    /// What an earlier attempt found by the same version.
    private func knownDiagnosis() throws -> Diagnosis? {
        guard journal.holds("detection"), let known = try Diagnosis(path: diagnosisPath, count: images.count),
            known.verdict.engine?.burn == Engine.release
        else { return nil }
        return known
    }

    private func save(_ boundary: BoundaryAnalysis, to path: String) throws {
        try boundary.store.synchronise()
        try boundary.table.save(path)
    }

    /// How far predictions and given labels agree.
    public func agreement(progress: @escaping (Double) -> Void = { _ in }) throws -> AgreementFinding {
        try InputAgreement(model: model, images: images, token: token)
            .measure(seed: task.options.methodSeed, progress: progress)
    }

    /// - Throws: the `Problem` where predictions and labels do not agree, unless the user accepts it.
    func checkedAgreement() throws -> AgreementFinding {
        var found = try agreement()
        guard let problem = found.problem else { return found }
        guard task.options.acceptDisagreement else { throw problem }
        found.agreement.accepted = problem.detail
        found.remarks = [
            "The model does not recognise the data set, which accept_disagreement accepts: \(problem.detail) What follows "
                + "may be about that."
        ]
        return found
    }

    func detection(
        _ boundary: BoundaryAnalysis, _ store: PerturbationStore, _ agreement: AgreementFinding,
        _ plan: WorkPlan
    ) throws -> Diagnosis {
        if let diagnosis = try knownDiagnosis(), try journal.replay("detection") {
            plan.skip(through: .detection, round: 0)
            return diagnosis
        }
        // A service that was upgraded in the middle of a job may find something else: what followed is not of this diagnosis.
        try journal.forget { $0 == "decoupling" || $0.hasPrefix("round-") }
        let clock = PhaseClock()
        let detection = Detection(
            model: model, images: images, boundary: boundary, store: store, directory: directory,
            options: task.options, threads: threads, token: token)
        var outcome = try detection.run(foreseen: { plan.report($0) }) {
            plan.advance(.detection, round: 0, $0.fraction, passesLeft: $0.passesLeft)
        }
        outcome.verdict.engine = Engine(libtorch: try LibTorch.runtimeVersion(), threads: threads)
        outcome.verdict.agreement = agreement.agreement
        outcome.verdict.evidence.statements += agreement.remarks
        if let damaged = images.dataset.summary.reading?.damaged {
            outcome.verdict.evidence.statements.append(damaged.statement)
        }
        outcome.verdict.evidence.statements += WeightStatements.analysed(file.summary)
        let pictures = TriggerPictures(model: model, images: images, table: boundary.table, token: token)
        let (triggers, artifacts) = try pictures.write(outcome, to: directory)
        let diagnosis = outcome.diagnosis
        try store.synchronise()
        try save(boundary, to: descentsPath)
        try diagnosis.save(diagnosisPath)
        try journal.finish(
            "detection",
            [.verdict(diagnosis.verdict)] + artifacts.map(WorkerMessage.artifact) + [
                .triggers(triggers), .metrics(outcome.costs.flatMap(\.points)),
                .phaseFinished(.detection, round: 0, seconds: clock.seconds),
            ])
        return diagnosis
    }
}
