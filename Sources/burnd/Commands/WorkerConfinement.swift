import API
import Foundation
import Logging
import Sandbox
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
        var memory = "control group"
        do {
            workers.cgroups = try WorkerCgroups()
        } catch {
            memory = "watched"
            logger.info(
                "the memory of workers is watched, not held by a control group",
                metadata: ["reason": "\(error)"])
        }
        readiness.sandbox = SandboxStatus(
            mode: sandbox.rawValue, landlock: report.landlock, seccomp: report.seccomp, memory: memory,
            missing: missing)
        return workers
    }

    /// Imports run beside jobs, but need little.
    private static func sharedMemory(among slots: Int) -> Int {
        Int(clamping: ProcessInfo.processInfo.physicalMemory / 5 * 4) / slots
    }
}
