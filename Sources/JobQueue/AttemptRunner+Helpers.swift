import JobStore
import WorkerProtocol
import Workers

/// A job's own worker, and its helpers.
extension AttemptRunner {
    /// Runs the job's own worker, and helpers where it is to have some; none is left when this returns.
    func run(
        _ task: WorkerTask, _ analysis: WorkerTask.Analyse, of attempt: JobAttempt, _ control: WorkerControl,
        receive: (WorkerMessage) throws -> Void
    ) -> WorkerExit {
        let label = WorkerLabel(id: attempt.job, attempt: attempt.number)
        let helpers = analysis.sharing.map { sharing in
            JobHelpers(
                of: label, analysis, sharing, estimate: task.estimate, main: control, supervisor: supervisor,
                artifacts: artifacts, slots: helperSlots, metrics: metrics, logger: logger)
        }
        defer { helpers?.end() }
        return supervisor.runBlocking(
            task, for: label, control: control, place: { try store.record($0, by: attempt) }
        ) { message in
            if try helpers?.take(message) != true { try receive(message) }
        }
    }

    /// Nil for a job that gets one slot.
    func sharing(of attempt: JobAttempt) throws -> WorkerTask.Sharing? {
        let wanted = attempt.request.options.slots ?? configuration.jobSlots
        let most = attempt.isOwned ? attempt.slotQuota ?? configuration.jobSlotsOfKey : .max
        let slots = min(wanted, most, configuration.slots)
        guard slots > 1 else { return nil }
        return WorkerTask.Sharing(
            folder: try artifacts.makePartsDirectory(attempt.job, attempt: attempt.number),
            helpers: slots - 1,
            patience: configuration.sharePatience / .seconds(1))
    }
}
