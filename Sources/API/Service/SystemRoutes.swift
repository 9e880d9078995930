import Foundation
import HTTPServer
import JobStore
import Support
import WebAssets
import Workers

/// Whether the service takes work: set by whoever starts and stops it.
public final class Readiness: Sendable {
    public enum State: String, Sendable {
        case starting, ready, stopping
    }

    private let current = Mutex(State.starting)
    private let confinement = Mutex(SandboxStatus?.none)
    private let cluster = Mutex(SlurmExecutor?.none)

    public init() {}

    /// The cluster that jobs run on, if any.
    public var executor: SlurmExecutor? {
        get { cluster.withLock { $0 } }
        set { cluster.withLock { $0 = newValue } }
    }

    public var state: State {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    /// Shown beside the checks: what is missing is a matter of the machine, not of the moment.
    public var sandbox: SandboxStatus? {
        get { confinement.withLock { $0 } }
        set { confinement.withLock { $0 = newValue } }
    }

    /// Something that the machine seemed to give failed for a worker.
    public func confinementFailed(_ what: String) {
        confinement.withLock { sandbox in
            if sandbox?.missing.contains(what) == false { sandbox?.missing.append(what) }
        }
    }
}

/// How workers are confined on this machine.
public struct SandboxStatus: Encodable, Sendable {
    /// required, preferred or off.
    public var mode: String
    /// The version of the kernel's file access rules; 0 for none.
    public var landlock: Int
    /// Whether system calls are filtered.
    public var seccomp: Bool
    /// What holds workers to their memory: "control group" or "watched".
    public var memory: String
    /// What this machine cannot give.
    public var missing: [String]

    public init(mode: String, landlock: Int, seccomp: Bool, memory: String, missing: [String]) {
        self.mode = mode
        self.landlock = landlock
        self.seccomp = seccomp
        self.memory = memory
        self.missing = missing
    }
}

private struct HealthResource: Encodable {
    var status: String
    var checks: [String: String]?
    var sandbox: SandboxStatus?
}

private struct VersionResource: Encodable {
    var name = Release.name
    var version = Release.version
    var api = Release.api
}

extension RESTService {
    func addSystemRoutes(to router: inout Router) {
        router.urgent = ["/healthz", "/readyz"]
        router.on(.get, "/healthz", access: .open) { _ in try JSON.response(HealthResource(status: "ok")) }
        router.on(.get, "/readyz", access: .open) { _ in
            let checks = await readinessChecks()
            let ready = checks.values.allSatisfy { $0 == "ok" }
            return try JSON.response(
                HealthResource(
                    status: ready ? "ok" : "unavailable", checks: checks, sandbox: readiness.sandbox),
                status: ready ? .ok : .serviceUnavailable)
        }
        router.on(.get, "/metrics") { _ in
            var page = metrics.render()
            let counts = try await store.jobCounts()
            try await renderStorage(into: &page)
            renderSlurm(into: &page)
            page.family("burn_jobs", "Jobs by state.", type: "gauge")
            for state in JobState.allCases {
                page.sample("burn_jobs", [("state", state.rawValue)], Double(counts[state] ?? 0))
            }
            page.gauge(
                "burn_disk_free_bytes", "Bytes that uploads may still take.",
                Double(try artifacts.freeBytes()))
            return .data(Data(page.text.utf8), type: ExpositionPage.contentType)
        }
        router.on(.get, "/openapi.json") { request in
            .json(OpenAPI.document(below: request.head.base.description))
        }
        router.on(.get, "/v1/version") { _ in try JSON.response(VersionResource()) }
    }

    private func renderSlurm(into page: inout ExpositionPage) {
        guard let executor = readiness.executor else { return }
        let tasks = executor.tasks
        page.family("burn_slurm_tasks", "Tasks on the cluster, as Slurm showed them last.", type: "gauge")
        page.sample("burn_slurm_tasks", [("state", "pending")], Double(tasks.pending))
        page.sample("burn_slurm_tasks", [("state", "running")], Double(tasks.running))
        page.gauge(
            "burn_slurm_ready", "1 where tasks are handed to Slurm, 0 where they wait for it.",
            executor.obstacle == nil ? 1 : 0)
    }

    private func renderStorage(into page: inout ExpositionPage) async throws {
        let queue = try await store.queueStatus()
        page.gauge("burn_jobs_paused", "Queued jobs that wait for room on the disk.", Double(queue.paused))
        page.gauge(
            "burn_queue_oldest_seconds", "Age of the job that has been queued longest.", queue.oldestSeconds)
        page.family("burn_uploads", "Resumable uploads by state.", type: "gauge")
        for state in UploadState.allCases {
            page.sample("burn_uploads", [("state", state.rawValue)], Double(queue.uploads[state] ?? 0))
        }
        let sizes = try store.sizes()
        page.gauge("burn_sqlite_database_bytes", "Bytes of the database's file.", Double(sizes.main))
        page.gauge("burn_sqlite_wal_bytes", "Bytes of the write-ahead log.", Double(sizes.wal))
        page.gauge(
            "burn_disk_floor_bytes", "Bytes that uploads leave free.", Double(artifacts.freeSpaceFloor))
    }

    private func readinessChecks() async -> [String: String] {
        var checks = ["service": readiness.state == .ready ? "ok" : readiness.state.rawValue]
        do {
            _ = try await store.jobCounts()
            checks["database"] = "ok"
        } catch {
            checks["database"] = "not answering"
        }
        do {
            checks["disk"] = try artifacts.freeBytes() > 0 ? "ok" : "no room for uploads"
        } catch {
            checks["disk"] = "not answering"
        }
        if let executor = readiness.executor {
            checks["slurm"] =
                executor.obstacle.map { "\($0.title) (\($0.code))." }
                ?? "ok"
        }
        return checks
    }
}
