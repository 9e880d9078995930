import API
import Foundation
import Logging
import Sandbox
import Support
import WorkerProtocol
import Workers

extension Configuration {
    /// How workers are started and held. Says once, in the log, what this machine cannot give.
    /// - Throws: `Problem` `sandbox-unavailable` where that is required.
    func workers(_ readiness: Readiness, logger: Logger) throws -> WorkerSupervisor.Configuration {
        let report = SandboxReport.probe()
        try report.require(sandbox)
        var missing = report.missing
        if device != .cpu {
            try SandboxReport.allowGPU(sandbox)
            missing.append("file access rules and system call filter of workers on a GPU")
        }
        if sandbox == .off {
            logger.warning("workers are not confined: sandbox is off")
        } else if !missing.isEmpty {
            logger.warning(
                "workers are not fully confined here",
                metadata: ["missing": "\(missing.joined(separator: "; "))"])
        }
        var workers = WorkerSupervisor.Configuration()
        workers.executable = worker
        workers.sandbox = sandbox
        workers.device = device
        workers.memoryBytes = limits.workerMemory ?? Self.sharedMemory(among: slots)
        workers.jobSeconds = limits.jobSeconds
        workers.importSeconds = limits.importSeconds
        workers.checkSeconds = limits.checkSeconds
        workers.checkMemoryBytes = limits.checkMemory
        workers.reserve = 2
        workers.heartbeatTimeout = .seconds(limits.silenceSeconds)
        // Perturbations take two bytes where a pixel takes one; a model is written as large as it came.
        let largest = max(limits.images.maximumPackedBytes, limits.modelBytes)
        workers.fileBytes = largest < 1 << 60 ? 2 * largest + (1 << 30) : nil
        let memory = try setControlGroups(&workers, &missing, logger: logger)
        workers.lostGroup = { reason in
            logger.error(
                "a worker has no control group: its memory is watched", metadata: ["reason": "\(reason)"])
            readiness.confinementFailed(Self.missingGroups)
        }
        readiness.sandbox = SandboxStatus(
            mode: sandbox.rawValue, landlock: report.landlock, seccomp: report.seccomp, memory: memory,
            missing: missing)
        return workers
    }

    private static let missingGroups = "control groups of some workers (the log says why)"

    /// - Returns: what holds workers to their memory, as `/readyz` says it.
    /// - Throws: `Problem` `sandbox-unavailable` where control groups are given, cannot be set up and are required.
    private func setControlGroups(
        _ workers: inout WorkerSupervisor.Configuration, _ missing: inout [String], logger: Logger
    ) throws -> String {
        do {
            workers.cgroups = try WorkerCgroups()
            return "control group"
        } catch let failure as WorkerCgroups.Failure {
            guard sandbox != .required else {
                throw Problem(
                    .unavailable, code: "sandbox-unavailable", title: "Workers cannot be confined here",
                    detail: "Control groups are there and cannot be set up: \(failure).", location: "sandbox",
                    fix:
                        "Delegate the group (systemd: Delegate=memory pids), or accept workers whose memory is "
                        + "watched: sandbox: preferred.")
            }
            missing.append("control groups (\(failure))")
            logger.warning(
                "the memory of workers is watched: control groups cannot be set up",
                metadata: ["reason": "\(failure)"])
        } catch {
            logger.notice(
                "the memory of workers is watched, not held by a control group",
                metadata: ["reason": "\(error)"])
        }
        return "watched"
    }

    /// Imports run beside jobs, but need little.
    private static func sharedMemory(among slots: Int) -> Int {
        Int(clamping: ProcessInfo.processInfo.physicalMemory / 5 * 4) / slots
    }
}
