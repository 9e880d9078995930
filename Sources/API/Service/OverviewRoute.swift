import Foundation
import HTTPServer
import JobStore
import Support

/// What `GET /v1/system` answers: what an operator looks at first.
private struct OverviewResource: Encodable {
    struct Disk: Encodable {
        var freeBytes, floorBytes, totalBytes, databaseBytes, logBytes, cacheBytes: Int

        enum CodingKeys: String, CodingKey {
            case freeBytes = "free_bytes"
            case floorBytes = "floor_bytes"
            case totalBytes = "total_bytes"
            case databaseBytes = "database_bytes"
            case logBytes = "log_bytes"
            case cacheBytes = "cache_bytes"
        }
    }

    struct Queue: Encodable {
        var jobs: [String: Int]
        var paused: Int
        var oldestSeconds: Double
        var imports: Int
        var uploads: [String: Int]
        var slots: Int

        enum CodingKeys: String, CodingKey {
            case jobs, paused, imports, uploads, slots
            case oldestSeconds = "oldest_seconds"
        }
    }

    struct Worker: Encodable {
        var job: String
        var phase: String?
        var since: String
        var slurm: SlurmResource?

        enum CodingKeys: String, CodingKey { case job, phase, since, slurm }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(job, forKey: .job)
            try container.encode(phase, forKey: .phase)
            try container.encode(since, forKey: .since)
            try container.encode(slurm, forKey: .slurm)
        }
    }

    struct Slurm: Encodable {
        struct Nodes: Encodable {
            var partition, state: String
            var count: Int
        }

        var pending, running: Int
        var nodes: [Nodes]
        /// When the nodes were read.
        var nodesAt: String?
        /// Why no task is handed over.
        var problem: ProblemResource?

        enum CodingKeys: String, CodingKey {
            case pending, running, nodes, problem
            case nodesAt = "nodes_at"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(pending, forKey: .pending)
            try container.encode(running, forKey: .running)
            try container.encode(nodes, forKey: .nodes)
            try container.encode(nodesAt, forKey: .nodesAt)
            try container.encode(problem, forKey: .problem)
        }
    }

    struct Renders: Encodable {
        var running, waiting: Int
    }

    struct Device: Encodable {
        var name: String
        var kind = "cpu"
        var processors: Int
        var memoryBytes: Int

        enum CodingKeys: String, CodingKey {
            case name, kind, processors
            case memoryBytes = "memory_bytes"
        }
    }

    var version = Release.version
    var uptimeSeconds: Double
    var disk: Disk
    var queue: Queue
    var workers: [Worker]
    var renders: Renders
    var devices: [Device]
    var sandbox: SandboxStatus?
    /// Where jobs' ends may be told, as `webhooks.hosts` has them.
    var webhookHosts: [String]
    var slurm: Slurm?
    /// Number in each state; nil for whom that is no business of.
    var keys: [String: Int]?

    enum CodingKeys: String, CodingKey {
        case version, disk, queue, workers, renders, devices, sandbox, slurm, keys
        case uptimeSeconds = "uptime_seconds"
        case webhookHosts = "webhook_hosts"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(version, forKey: .version)
        try container.encode(uptimeSeconds, forKey: .uptimeSeconds)
        try container.encode(disk, forKey: .disk)
        try container.encode(queue, forKey: .queue)
        try container.encode(workers, forKey: .workers)
        try container.encode(renders, forKey: .renders)
        try container.encode(devices, forKey: .devices)
        try container.encode(sandbox, forKey: .sandbox)
        try container.encode(webhookHosts, forKey: .webhookHosts)
        try container.encode(slurm, forKey: .slurm)
        try container.encodeIfPresent(keys, forKey: .keys)
    }
}

extension RESTService {
    func addOverviewRoute(to router: inout Router) {
        let start = ContinuousClock.now
        router.on(.get, "/v1/system") { request in
            try request.head.allowQuery()
            let isAdmin = (request.head.principal as? Principal)?.access == .admin
            var overview = try await overview(uptime: (ContinuousClock.now - start) / .seconds(1))
            if isAdmin {
                var keys = Dictionary(uniqueKeysWithValues: KeyState.allCases.map { ($0.rawValue, 0) })
                for key in try await store.keys() { keys[KeyState(key).rawValue, default: 0] += 1 }
                overview.keys = keys
            }
            return try JSON.response(overview)
        }
    }

    private func overview(uptime: Double) async throws -> OverviewResource {
        let counts = try await store.jobCounts()
        let status = try await store.queueStatus()
        let sizes = try store.sizes()
        let renders = await queue.pictures.status
        return OverviewResource(
            uptimeSeconds: (uptime * 10).rounded() / 10,
            disk: .init(
                freeBytes: try artifacts.freeBytes(), floorBytes: artifacts.freeSpaceFloor,
                totalBytes: try artifacts.totalBytes(), databaseBytes: sizes.main, logBytes: sizes.wal,
                cacheBytes: await queue.pictures.cacheBytes()),
            queue: .init(
                jobs: Dictionary(
                    uniqueKeysWithValues: JobState.allCases.map { ($0.rawValue, counts[$0] ?? 0) }),
                paused: status.paused, oldestSeconds: status.oldestSeconds, imports: status.imports,
                uploads: Dictionary(
                    uniqueKeysWithValues: UploadState.allCases.map { ($0.rawValue, status.uploads[$0] ?? 0) }),
                slots: queue.slots),
            workers: try await store.runningJobs().map {
                .init(
                    job: $0.job, phase: $0.phase?.rawValue, since: Timestamp.text($0.since),
                    slurm: $0.placement.map { SlurmResource($0) })
            },
            renders: .init(running: renders.running, waiting: renders.waiting),
            devices: [Machine.processor.device], sandbox: readiness.sandbox,
            webhookHosts: webhooks.hosts.map(\.description),
            slurm: slurm())
    }

    /// Nil where workers run on this machine.
    private func slurm() -> OverviewResource.Slurm? {
        guard let status = readiness.executor?.status else { return nil }
        return OverviewResource.Slurm(
            pending: status.pending, running: status.running,
            nodes: status.nodes.map { .init(partition: $0.partition, state: $0.state, count: $0.count) },
            nodesAt: status.nodesAt.map { Timestamp.text($0) },
            problem: status.obstacle.map { ProblemResource($0) })
    }
}

/// What the machine computes with.
private struct Machine {
    var device: OverviewResource.Device

    static let processor = Machine()

    private init() {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = line?.split(separator: ":", maxSplits: 1).last.map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        device = OverviewResource.Device(
            name: name ?? "processor", processors: ProcessInfo.processInfo.activeProcessorCount,
            memoryBytes: Int(clamping: ProcessInfo.processInfo.physicalMemory))
    }
}
