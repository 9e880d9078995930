import ArtifactStore
import Findings
import Foundation
import JobStore
import Logging
import Support
import WorkerProtocol
import Workers

/// Runs one attempt of a job or of an import, from its task to its stored result, on the calling thread, which it
/// blocks.
struct AttemptRunner: Sendable {
    let store: JobStore
    let artifacts: ArtifactStore
    let supervisor: WorkerSupervisor
    let configuration: JobQueue.Configuration
    let conditions: QueueConditions
    let helperSlots: HelperSlots
    let logger: Logger

    var metrics: JobMetrics { JobMetrics(factory: configuration.metrics) }

    // MARK: Jobs

    func run(_ attempt: JobAttempt, control: WorkerControl) {
        var logger = logger
        logger[metadataKey: "job"] = "\(attempt.job)"
        logger[metadataKey: "attempt"] = "\(attempt.number)"
        do {
            let result = try result(of: attempt, control: control, logger: logger)
            let state = try settle(result, of: attempt, logger)
            logger.info("attempt ended", metadata: ["state": "\(state.rawValue)"])
            // A failed or cancelled job may be retried, and goes on from these files.
            if state == .succeeded { try artifacts.deleteWorkDirectory(attempt.job) }
        } catch { report(error, logger) }
    }

    /// - Throws: `StaleAttempt`.
    private func result(of attempt: JobAttempt, control: WorkerControl, logger: Logger) throws
        -> AttemptResult
    {
        let exit: WorkerExit
        var scarce: Set<TaskResource> = []
        do {
            // After the control is known to the queue: a cancel from now on reaches it, an earlier one is
            // seen here.
            if try store.isCancelling(attempt) { control.cancel() }
            let isFenced = supervisor.configuration.executor.isRemote
            let directory = try artifacts.makeWorkDirectory(
                attempt.job, attempt: isFenced ? attempt.number : nil)
            var analysis = try analysis(attempt)
            analysis.reviews = try writeReviews(of: attempt, to: directory)
            analysis.sharing = try sharing(of: attempt)
            var task = WorkerTask(kind: .analyse(analysis), outputDirectory: directory)
            // Here all tasks have what the machine has. What a GPU saves or takes of it was never measured.
            if isFenced, supervisor.configuration.device == .cpu {
                task.estimate = try store.estimate(of: attempt)
            }
            scarce = supervisor.configuration.executor.scarce(for: task)
            var recorder = try JobRecorder(
                attempt: attempt, directory: directory, store: store, artifacts: artifacts,
                progressInterval: configuration.progressInterval, metrics: metrics,
                logger: logger)
            exit = run(task, analysis, of: attempt, control) { try recorder.take($0) }
        } catch let stale as StaleAttempt {
            throw stale
        } catch {
            exit = .receiverFailed(error)
        }
        metrics.workerEnded(exit)
        switch exit {
        case .finished: return .succeeded
        case .cancelled where conditions.isDiskFull && !conditions.isStopping:
            return .paused(.diskFull, delay: 0)
        case .cancelled: return .stopped
        case _ where isForWantOfRoom(exit):
            logger.warning(
                "attempt paused: no room", metadata: ["problem": "\(String(describing: exit.problem))"])
            return .paused(.diskFull, delay: configuration.pauseDelay / .seconds(1))
        case .failed(let problem) where problem.isForWantOfMemory && scarce.contains(.memory):
            return enlarged(problem, logger)
        case .failed(let problem) where !Self.mayPass(problem): return .failed(problem)
        case .lost(let loss):
            logger.warning(
                "the attempt was ended on the cluster", metadata: ["problem": "\(loss.problem)"])
            return result(of: loss, logger)
        case .receiverFailed(let stale as StaleAttempt): throw stale
        case .receiverFailed(let error) where StorageFault.isPermanent(error):
            let problem = Self.notStored(error)
            logger.critical("attempt failed", metadata: ["problem": "\(problem)"])
            return .failed(problem)
        default:
            guard let problem = exit.problem else { return .stopped }
            // A limit that was reached will be reached again.
            guard problem.category == .internal else { return .failed(problem) }
            logger.error("attempt failed", metadata: ["problem": "\(problem)"])
            return .infrastructure(problem, backoff: backoff, limit: configuration.retries)
        }
    }

    private func result(of loss: WorkerLoss, _ logger: Logger) -> AttemptResult {
        switch loss.remedy {
        case .retry: .infrastructure(loss.problem, backoff: backoff, limit: configuration.retries)
        case .wait: .waiting(loss.problem, delay: backoff)
        case .enlarge: enlarged(loss.problem, logger)
        case .report: .failed(loss.problem)
        }
    }

    private func analysis(_ attempt: JobAttempt) throws -> WorkerTask.Analyse {
        let request = attempt.request
        let evaluation = try request.evaluation.map { evaluation in
            WorkerTask.Analyse.EvaluationSets(
                clean: try evaluation.clean.map(artifacts.datasetDirectory),
                triggered: try evaluation.triggered.map(artifacts.datasetDirectory),
                targetClass: evaluation.targetClass)
        }
        return WorkerTask.Analyse(
            type: request.type, model: try artifacts.require(attempt.model),
            skeleton: try artifacts.skeleton(attempt.skeleton),
            dataset: try artifacts.datasetDirectory(request.dataset), evaluation: evaluation,
            trusted: try request.options.trusted.map(artifacts.datasetDirectory), options: request.options)
    }

    /// The reviews that the job goes by, in a file of its own.
    /// - Returns: its path; nil where there are none.
    private func writeReviews(of attempt: JobAttempt, to directory: String) throws -> String? {
        guard attempt.request.reviewsOf != nil else { return nil }
        let path = directory + "/reviews.jsonl"
        try Data().write(to: URL(filePath: path))
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        defer { try? file.close() }
        var last: Int64 = -1
        while true {
            let page = try store.appliedReviews(of: attempt, after: last)
            guard let newest = page.last else { return path }
            try file.write(contentsOf: ReviewFile.lines(page))
            last = Int64(newest.index)
        }
    }

    // MARK: Imports

    func run(_ attempt: ImportAttempt, control: WorkerControl) {
        var logger = logger
        logger[metadataKey: "input"] = "\(attempt.id)"
        do {
            let outcome = importing(attempt, control: control, logger: logger)
            // Before the result: once that is stored, another attempt may use the directory.
            do { try removeFiles(of: attempt, outcome) } catch { report(error, logger) }
            try settle(outcome, of: attempt, logger)
        } catch { report(error, logger) }
    }

    private func removeFiles(of attempt: ImportAttempt, _ outcome: ImportOutcome) throws {
        switch (attempt.kind, outcome) {
        case (.model, _): try artifacts.deleteWorkDirectory(attempt.id)
        case (.dataset, .dataset): break
        case (.dataset, _): try artifacts.deleteDatasetDirectory(attempt.id)
        }
    }

    func store(_ outcome: ImportOutcome, of attempt: ImportAttempt) throws {
        switch outcome {
        case .model(let summary, let pass): try store.finishImport(attempt, model: summary, pass: pass)
        case .dataset(let summary): try store.finishImport(attempt, dataset: summary)
        case .stopped: try store.releaseImport(attempt)
        case .paused: try store.releaseImport(attempt, delay: configuration.pauseDelay / .seconds(1))
        case .waiting: try store.releaseImport(attempt, delay: backoff)
        case .failed(let problem) where Self.mayPass(problem):
            _ = try store.failImport(attempt, problem, backoff: backoff, limit: configuration.retries)
        case .failed(let problem):
            try store.rejectImport(attempt, problem)
        }
    }

    enum ImportOutcome {
        case model(ModelSummary, PassCost?)
        case dataset(DatasetSummary)
        case stopped
        case paused
        case waiting
        case failed(Problem)
    }

    private func importing(_ attempt: ImportAttempt, control: WorkerControl, logger: Logger) -> ImportOutcome
    {
        var summary: ImportOutcome?
        var exit: WorkerExit
        do {
            let task = try importTask(attempt)
            let label = WorkerLabel(id: attempt.id, attempt: attempt.number)
            exit = supervisor.runBlocking(task, for: label, control: control) { message in
                switch message {
                case .modelProbed(let found, let pass) where attempt.kind == .model:
                    summary = .model(found, pass)
                case .datasetImported(let found) where attempt.kind == .dataset: summary = .dataset(found)
                case .log(let text): logger.info("worker", metadata: ["message": "\(text.prefix(1_000))"])
                default: break
                }
            }
            if case .finished = exit, case .dataset? = summary {
                try artifacts.placeDataset(attempt.id, attempt: attempt.number)
            }
        } catch {
            exit = .receiverFailed(error)
        }
        metrics.workerEnded(exit)
        if case .cancelled = exit { return .stopped }
        if isForWantOfRoom(exit) {
            logger.warning(
                "import paused: no room", metadata: ["problem": "\(String(describing: exit.problem))"])
            return .paused
        }
        if case .lost(let loss) = exit, loss.remedy == .wait {
            logger.warning("import waits", metadata: ["problem": "\(loss.problem)"])
            return .waiting
        }
        // Of a cancelled import nobody is told who could start it again: it is tried again.
        if case .lost(var loss) = exit, loss.cause == WorkerLoss.cancelled {
            loss.problem.category = .internal
            return .failed(loss.problem)
        }
        if let problem = exit.problem {
            logger.error("import failed", metadata: ["problem": "\(problem)"])
            return .failed(problem)
        }
        return summary
            ?? .failed(
                Problem(
                    .internal, code: "worker-incomplete", title: "The worker gave no summary",
                    detail: "It ended without an error and without a summary of the \(attempt.kind.rawValue)."
                ))
    }

    private func importTask(_ attempt: ImportAttempt) throws -> WorkerTask {
        let source = try artifacts.require(attempt.blob)
        let isFenced = supervisor.configuration.executor.isRemote
        return switch attempt.kind {
        case .model:
            WorkerTask(
                kind: .probeModel(.init(model: source, skeleton: try artifacts.skeleton(attempt.skeleton))),
                outputDirectory: try artifacts.makeWorkDirectory(
                    attempt.id, attempt: isFenced ? attempt.number : nil))
        case .dataset:
            WorkerTask(
                kind: .importDataset(
                    .init(
                        source: source, limits: configuration.importLimits,
                        options: attempt.options ?? ImportOptions())),
                outputDirectory: try artifacts.makeImportDirectory(attempt.id, attempt: attempt.number))
        }
    }

    // MARK: Both

    /// Seconds before the first retry.
    var backoff: Double { configuration.backoff / .seconds(1) }

    /// Whether a worker ended because the disk is full, and not because of a fault of its own.
    private func isForWantOfRoom(_ exit: WorkerExit) -> Bool {
        switch exit {
        case .finished, .cancelled: return false
        case .receiverFailed(let error): if StorageFault.isDiskFull(error) { return true }
        case .lost: return false
        case .failed(let problem):
            if StorageFault.isDiskFull(problem) { return true }
            if problem.category != .internal { return false }
        default: break
        }
        // A crash, say of a mapped file without room, says nothing of the disk.
        return (try? artifacts.freeBytes()) == 0
    }

    private func report(_ error: any Error, _ logger: Logger) {
        if let stale = error as? StaleAttempt {
            logger.warning("dropped the result of a stale attempt", metadata: ["number": "\(stale.number)"])
        } else {
            logger.critical("an attempt ended with a fault", metadata: ["error": "\(error)"])
        }
    }
}
