import Foundation
import Support
import Testing
import WorkerProtocol

@testable import Workers

/// A worker that gives no signs, and why.
@Suite struct SlurmSilenceTests {
    static let label = WorkerLabel(id: "mdl_a", attempt: 1)
    let slurm: SlurmStandIn
    let executor: SlurmExecutor

    init() throws {
        slurm = try SlurmStandIn()
        executor = try slurm.executor()
    }

    /// - Returns: how a task ended that was silent after its first sign, and after how long.
    private func run(_ script: String = "phase detection\nhang", limit: Int? = nil) async throws -> (
        exit: WorkerExit, time: Duration
    ) {
        defer { executor.close() }
        let input = slurm.folder + "/script"
        try slurm.write("script", "[probe]\n\(script)\n")
        var configuration = WorkerSupervisor.Configuration()
        configuration.executable = WorkerSupervisorTests.worker
        configuration.executor = executor
        configuration.heartbeatTimeout = .seconds(2)
        configuration.importSeconds = limit
        let supervisor = try WorkerSupervisor(configuration: configuration)
        let output = slurm.folder + "/output"
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        let task = WorkerTask(kind: .probeModel(.init(model: input)), outputDirectory: output)
        let begin = ContinuousClock.now
        let exit = await supervisor.run(task, for: Self.label, control: WorkerControl()) { _ in }
        return (exit, .now - begin)
    }

    private func after(_ seconds: Double, _ change: @escaping @Sendable (SlurmStandIn) throws -> Void) {
        let slurm = slurm
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: seconds)
            do { try change(slurm) } catch { Issue.record(error) }
        }
    }

    @Test func suspendedTimeIsNoSilenceAndNoWork() async throws {
        try slurm.show((Self.label, "SUSPENDED|None|n1"))
        after(5) { try $0.show((Self.label, "RUNNING|None|n1")) }
        let (exit, time) = try await run(limit: 4)
        guard case .hung = exit else {
            Issue.record("\(exit)")
            return
        }
        #expect(time > .seconds(6), "\(time)")
    }

    /// It may be suspended, for all that is known.
    @Test func silenceIsNotJudgedWhileTheControllerIsSilentToo() async throws {
        try slurm.write("silent", "")
        try slurm.show((Self.label, "RUNNING|None|n1"))
        after(4) { $0.remove("silent") }
        let (exit, time) = try await run()
        guard case .hung = exit else { Issue.record("\(exit)"); return }
        #expect(time > .seconds(4), "\(time)")
    }

    @Test(arguments: [
        ("NODE_FAIL|None|n1", "idle", "slurm-node-failed"),
        ("RUNNING|None|n1", "down*", "slurm-node-failed"), ("RUNNING|None|n1", "mixed", "worker-hung"),
        ("CANCELLED|None|n1", "idle", "worker-hung"),
    ])
    func whatHappenedToTheNodeIsTheCause(entry: String, node: String, code: String) async throws {
        try slurm.show((Self.label, entry))
        try slurm.write("nodes", "\(node)\n")
        let exit = try await run().exit
        #expect(exit.problem?.code == code, "\(exit)")
    }

    /// A worker that is told to stop says that it was cancelled, and Slurm by whom.
    @Test(arguments: [
        ("CANCELLED|None|n1", "slurm-cancelled"), ("TIMEOUT|TimeLimit|n1", "slurm-time-limit"),
        ("PREEMPTED|None|n1", "slurm-preempted"),
    ])
    func whoStoppedAWorkerIsAskedSlurm(entry: String, code: String) async throws {
        try slurm.show((Self.label, entry))
        let exit = try await run("fail cancelled cancelled").exit
        #expect(exit.problem?.code == code, "\(exit)")
    }
}
