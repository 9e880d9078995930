import Foundation
import JobStore
import Logging
import Support
import WorkerProtocol

/// How an attempt's result gets into the database, and what becomes of one that does not.
extension AttemptRunner {
    /// - Throws: `StaleAttempt`, or what the database says where it takes no result at all. The lease then ends, and the
    ///   job is taken back.
    func settle(_ result: AttemptResult, of attempt: JobAttempt, _ logger: Logger) throws -> JobState {
        try settle(logger) {
            try store.finish(attempt, result)
        } orElse: { problem, isPermanent in
            try store.finish(
                attempt,
                isPermanent
                    ? .failed(problem)
                    : .infrastructure(problem, backoff: backoff, limit: configuration.retries))
        }
    }

    /// - Throws: as for a job.
    func settle(_ outcome: ImportOutcome, of attempt: ImportAttempt, _ logger: Logger) throws {
        try settle(logger) {
            try store(outcome, of: attempt)
        } orElse: { problem, _ in
            try store(.failed(problem), of: attempt)
        }
    }

    /// Stores a result. A database that refuses it for a reason that may pass is asked again, for as long as
    /// `storePatience`, and no more once the service stops: its next start takes back what then still has this lease.
    /// - Parameter giveUp: stores that the result could not be, once.
    func settle<Stored>(
        _ logger: Logger, _ write: () throws -> Stored, orElse giveUp: (Problem, Bool) throws -> Stored
    ) throws -> Stored {
        let deadline = ContinuousClock.now + configuration.storePatience
        let pause = min(1, configuration.storePatience / .seconds(10))
        while true {
            do { return try write() } catch {
                if error is StaleAttempt || conditions.isStopping { throw error }
                let isPermanent = StorageFault.isPermanent(error)
                guard isPermanent || .now >= deadline else {
                    logger.error("a result cannot be stored yet", metadata: ["error": "\(error)"])
                    Thread.sleep(forTimeInterval: pause)
                    continue
                }
                logger.critical("a result cannot be stored", metadata: ["error": "\(error)"])
                return try giveUp(Self.notStored(error), isPermanent)
            }
        }
    }

    /// Whether another try may go better: a fault of the service or its machine, and not one that comes again for certain.
    static func mayPass(_ problem: Problem) -> Bool {
        problem.category == .internal && ![refusedCode, WorkerMessage.notSendableCode].contains(problem.code)
    }

    /// The task had less than it may have, and needs it.
    func enlarged(_ problem: Problem, _ logger: Logger) -> AttemptResult {
        logger.notice(
            "the task needs more than was expected, and gets all that it may have",
            metadata: ["problem": "\(problem)"])
        var problem = problem
        problem.location = nil
        problem.fix = "Nothing: it goes on with all of slurm.job_memory and slurm.job_minutes."
        return .tooSmall(problem)
    }

    /// The code of a result that the database would refuse again.
    static let refusedCode = "results-refused"

    static func notStored(_ error: any Error) -> Problem {
        guard StorageFault.isPermanent(error) else {
            return Problem(
                .internal, code: "results-not-stored", title: "The results of the worker could not be stored",
                detail: "The database took none for too long: \(error)",
                fix: "Look at the disk and at who else has the database open; then retry the job.")
        }
        return Problem(
            .internal, code: refusedCode, title: "The database refuses the results",
            detail: "It would refuse them again, so that the attempt was not repeated: \(error)",
            fix: "This is a defect of the service. Report it with this text and the service's version.")
    }
}
