import Foundation
import Support
import Testing
import WorkerProtocol

@testable import Workers

/// How ends of tasks are told from each other where Slurm is slow to say, or does not answer.
@Suite struct SlurmEndsTests {
    static let label = WorkerLabel(id: "job_a", attempt: 3)

    let slurm: SlurmStandIn
    let executor: SlurmExecutor

    init() throws {
        slurm = try SlurmStandIn()
        executor = try slurm.executor()
    }

    private func end(
        _ status: WorkerStatus, short: Double = 0.4, long: Double = 30,
        knowledge: WorkerEnd.Knowledge = .open, words: String = "",
        isCancelled: () -> Bool = { false }
    ) -> WorkerExit? {
        let run = slurm.run(Self.label, executor, .init(short: .seconds(short), long: .seconds(long)))
        defer { executor.close() }
        return run.conclude(
            WorkerEnd(status: status, words: words, knowledge: knowledge), isCancelled: isCancelled)
    }

    private func code(_ exit: WorkerExit?) -> String? { exit?.problem?.code }

    /// As soon as Slurm has got so far.
    private func later(_ looks: Int, _ change: @escaping @Sendable (SlurmStandIn) throws -> Void) {
        let slurm = slurm
        Thread.detachNewThread {
            slurm.looks(looks)
            do { try change(slurm) } catch { Issue.record(error) }
        }
    }

    /// A node's epilog takes longer than a cancelled job may.
    @Test(arguments: [
        ("TIMEOUT|TimeLimit", 143, "slurm-time-limit"),
        ("OUT_OF_MEMORY|OutOfMemory", 137, "slurm-memory-limit"),
        ("PREEMPTED|None", 143, "slurm-preempted"), ("CANCELLED|None", 143, "slurm-cancelled"),
        ("FAILED|NonZeroExitCode", 139, "worker-crashed"),
    ])
    func anEndIsWaitedForAsLongAsItTakes(state: String, status: Int, code: String) throws {
        try slurm.show((Self.label, "COMPLETING|None|n1"))
        later(5) { try $0.show((Self.label, "\(state)|n1")) }
        let exit = end(.exited(Int32(status)))
        #expect(self.code(exit) == code, "\(String(describing: exit))")
        #expect(slurm.lines("cancelled") == 0 && slurm.lines("looks") >= 5)
    }

    /// A task that was given less than it may have of what it ended for is to get that; other ends are as they are.
    @Test(arguments: [
        ("TIMEOUT|TimeLimit", TaskResource.time, WorkerLoss.Remedy.enlarge),
        ("TIMEOUT|TimeLimit", .memory, .report), ("OUT_OF_MEMORY|OutOfMemory", .memory, .enlarge),
        ("OUT_OF_MEMORY|OutOfMemory", .time, .report), ("NODE_FAIL|None", .memory, .retry),
        ("CANCELLED|None", .time, .report),
    ])
    func anEndForWantOfWhatWasNotAskedForIsMended(
        fields: String, scarce: TaskResource, remedy: WorkerLoss.Remedy
    ) throws {
        try slurm.show((Self.label, "\(fields)|n1"))
        let run = slurm.run(
            Self.label, executor, .init(short: .seconds(0.4), long: .seconds(30)), scarce: [scarce])
        defer { executor.close() }
        let exit = run.conclude(
            WorkerEnd(status: .exited(143), words: "", knowledge: .open), isCancelled: { false })
        guard case .lost(let loss) = exit else {
            Issue.record("\(String(describing: exit))")
            return
        }
        #expect(loss.remedy == remedy)
    }

    /// What the reason says already.
    @Test func aReasonIsAnEnd() throws {
        try slurm.show((Self.label, "COMPLETING|TimeLimit|n1"))
        #expect(code(end(.exited(143))) == "slurm-time-limit")
    }

    @Test(arguments: [(139, "worker-crashed"), (7, nil)])
    func oneThatNeverComesIsTakenFromTheProcess(status: Int, code: String?) throws {
        try slurm.show((Self.label, "COMPLETING|None|n1"))
        let exit = end(.exited(Int32(status)), long: 1)
        #expect(self.code(exit) == code, "\(String(describing: exit))")
    }

    @Test func aCancelledTaskIsNotWaitedFor() throws {
        try slurm.show((Self.label, "COMPLETING|None|n1"))
        let time = ContinuousClock().measure { _ = end(.exited(143), isCancelled: { true }) }
        #expect(time < .seconds(10))
    }

    /// Its helper ends the job, which Slurm calls cancelled.
    @Test(arguments: ["CANCELLED|None", "COMPLETED|None", "FAILED|JobLaunchFailure", "RUNNING|None"])
    func anSrunThatIsKilledIsNoScancel(state: String) throws {
        try slurm.show((Self.label, "\(state)|n1"))
        #expect(code(end(.signalled(SIGKILL))) == "slurm-srun-ended")
        #expect((slurm.lines("cancelled") > 0) == (state == "RUNNING|None"))
    }

    @Test func aQuestionWithoutAnAnswerIsAskedAgain() throws {
        try slurm.write("silent", "")
        try slurm.show((Self.label, "FAILED|NonZeroExitCode|n1"))
        later(2) { $0.remove("silent") }
        #expect(code(end(.exited(134))) == "worker-crashed")
    }

    @Test func aControllerThatStaysSilentIsNoFaultOfTheTask() throws {
        try slurm.write("silent", "")
        guard case .lost(let loss)? = end(.exited(1), long: 1) else { Issue.record("no loss"); return }
        #expect(loss.problem.code == "slurm-unavailable" && loss.remedy == .wait)
        #expect(executor.obstacle?.code == "slurm-unavailable")
    }

    /// A result is one, whatever becomes of the job.
    @Test func aResultDoesNotWaitForTheController() throws {
        try slurm.write("silent", "")
        let time = ContinuousClock().measure {
            #expect(end(.signalled(SIGKILL), knowledge: .decided) == nil)
        }
        #expect(time < .seconds(10))
    }

    @Test func onlyAnEmptyAnswerMeansThatThereIsNoJob() throws {
        let words = "srun: error: Unable to allocate resources: Invalid qos specification"
        let exit = end(.exited(1), words: words)
        #expect(code(exit) == "slurm-refused" && exit?.problem?.location == "slurm.qos")
    }

    @Test func manyEndsAreAnsweredTogether() throws {
        let labels = (0..<60).map { WorkerLabel(id: "job_\($0)", attempt: 1) }
        let lines = labels.map { "1|FAILED|NonZeroExitCode|n1|\(SlurmStandIn.name($0))\n" }
        try slurm.write("queue", lines.joined())
        let (slurm, executor) = (slurm, executor)
        let before = slurm.lines("looks")
        let ends = Mutex(0)
        for label in labels {
            Thread.detachNewThread {
                let run = slurm.run(label, executor, .init())
                let end = WorkerEnd(status: .exited(139), words: "", knowledge: .open)
                guard case .crashed? = run.conclude(end, isCancelled: { false }) else { return }
                ends.withLock { $0 += 1 }
            }
        }
        let deadline = ContinuousClock.now + .seconds(20)
        while ends.withLock({ $0 }) < labels.count, .now < deadline { usleep(20_000) }
        #expect(ends.withLock { $0 } == labels.count)
        #expect(slurm.lines("looks") - before <= 6, "\(slurm.lines("looks") - before) looks")
        executor.close()
    }

    @Test func oneLookThatFailsChangesNothing() throws {
        let entered = slurm.run(Self.label, executor, .init())
        try slurm.write("silent", "")
        guard case .unknown = executor.queue.answer(on: SlurmStandIn.name(Self.label)) else {
            Issue.record("an answer")
            return
        }
        #expect(executor.queue.obstacle == nil)
        slurm.looks(2)
        #expect(executor.queue.obstacle?.code == "slurm-unavailable")
        slurm.remove("silent")
        slurm.looks(2)
        #expect(executor.queue.obstacle == nil)
        executor.close()
        withExtendedLifetime(entered) {}
    }

    @Test func whatTheNodesAreIsReadFromMemory() throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while executor.status.nodesAt == nil, .now < deadline { usleep(20_000) }
        let seen = executor.status
        #expect(seen.nodes.map(\.count) == [2] && abs(seen.nodesAt?.timeIntervalSinceNow ?? 99) < 10)
        let looks = slurm.lines("node-looks")
        try slurm.write("nodes-sleep", "")
        let time = ContinuousClock().measure { for _ in 0..<1_000 { _ = executor.status } }
        #expect(time < .seconds(1) && slurm.lines("node-looks") - looks <= 1)
        executor.close()
    }

    @Test func twoServicesProbeUnderTheirOwnNames() throws {
        let other = try slurm.executor()
        let labels = [executor.nextProbe(), executor.nextProbe(), other.nextProbe()]
        #expect(Set(labels).count == 3 && labels.allSatisfy { $0.id.hasPrefix("probe-") })
        executor.close()
        other.close()
    }
}
