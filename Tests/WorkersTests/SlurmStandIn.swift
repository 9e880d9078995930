import Foundation
import Support
import Testing
import WorkerProtocol

@testable import Workers

/// Stand-ins for Slurm's programs, which say what a test has them say: for what a real controller can't be made to do.
/// srun is the worker itself.
final class SlurmStandIn: Sendable {
    static let instance = "standin"
    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "burn-slurm-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try write("queue", "")
        try write("nodes", "main|idle|2\n")
        // A look is counted when it begins.
        try install(
            "squeue", "echo look >>looks; [ -e queue-sleeps ] && sleep 2; [ -e silent ] && exit 1; cat queue")
        try install("sinfo", "echo $* >>node-looks; [ -e nodes-sleep ] && sleep 2; cat nodes")
        try install(
            "scancel", #"echo $* >>cancelled; sed -i 's/^\([0-9]*\)|[A-Z_]*|/\1|CANCELLED|/' queue"#)
        try install("srun", #"for last; do :; done; exec "$last""#)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func install(_ program: String, _ text: String) throws {
        try write(program, "#!/bin/sh\ncd '\(folder)'\n\(text)\n")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: folder + "/" + program)
    }

    func write(_ file: String, _ text: String) throws {
        try text.write(toFile: folder + "/" + file, atomically: true, encoding: .utf8)
    }

    func remove(_ file: String) { try? FileManager.default.removeItem(atPath: folder + "/" + file) }

    /// What squeue shows: `STATE|REASON|NODE` of the tasks that these labels name.
    func show(_ states: (WorkerLabel, String)...) throws {
        let lines = states.enumerated().map { number, entry in
            "\(number + 1)|\(entry.1)|\(Self.name(entry.0))\n"
        }
        try write("queue", lines.joined())
    }

    static func name(_ label: WorkerLabel) -> String { "burn-\(instance)-\(label.id)-\(label.attempt)" }

    func lines(_ file: String) -> Int {
        let text = (try? String(contentsOfFile: folder + "/" + file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").count
    }

    private var settings: SlurmSettings {
        var settings = SlurmSettings()
        settings.programs = folder
        return settings
    }

    /// One that has looked at the queue, and found nothing that is left of earlier.
    func executor() throws -> SlurmExecutor {
        let executor = try SlurmExecutor(settings, instance: Self.instance)
        executor.open()
        while executor.queue.obstacle != nil { usleep(10_000) }
        return executor
    }

    /// Of a task that was handed over to the executor, whose process has nothing to do with it.
    func run(
        _ label: WorkerLabel, _ executor: SlurmExecutor, _ patience: SlurmRun.Patience,
        scarce: Set<TaskResource> = []
    ) -> SlurmRun {
        SlurmRun(
            name: Self.name(label), command: WorkerCommand(executable: "/bin/true"),
            request: executor.settings.request(executor.settings.job), scarce: scarce, queue: executor.queue,
            nodes: executor.nodes, patience: patience)
    }

    /// Waits for as many looks at the queue as are begun from now on.
    func looks(_ count: Int) {
        let first = lines("looks")
        let deadline = ContinuousClock.now + .seconds(20)
        while lines("looks") < first + count, .now < deadline { usleep(20_000) }
    }
}
