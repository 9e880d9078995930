import API
import ArgumentParser
import ArtifactStore
import Commands
import Foundation
import HTTPServer
import JobQueue
import JobStore
import Logging
import ServiceLifecycle
import Storage
import Support
import Webhooks
import Workers

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the HTTP service.",
        discussion: """
            Settings come from the file, then from BURND_… variables, then from flags. \
            `burnd settings` explains every one.
            """)

    @Option(help: "Configuration file (YAML or JSON).")
    var config: String?

    @OptionGroup
    var flags: ServiceFlags

    func run() async throws {
        try await reportingProblems {
            try await serve(try flags.load(config))
        }
    }

    private func serve(_ configuration: Configuration) async throws {
        let (level, format) = (configuration.logLevel, configuration.logFormat)
        LoggingSystem.bootstrap { label in
            var handler = format.handler(label)
            handler.logLevel = level
            return handler
        }
        let descriptors = DescriptorLimit.raise()
        if descriptors < UInt(configuration.http.connections) + 128 {
            Logger(label: "burn.service").warning(
                "fewer file descriptors than http.connections needs",
                metadata: ["limit": "\(descriptors)", "connections": "\(configuration.http.connections)"])
        }
        let daemon = try await Daemon(configuration)
        try await daemon.housekeeping.repairAtStart()
        if let cluster = daemon.cluster {
            cluster.executor.open()
            try await cluster.check()
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: daemon.services, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "burn.service")))
        try await group.run()
        try daemon.store.close()
    }
}

/// The parts of a running service, put together from the configuration.
struct Daemon {
    let store: JobStore
    let housekeeping: Housekeeping
    /// Nil where workers run on this machine.
    let cluster: Cluster?
    /// In the order of their start; stopped in the reverse order, so that requests end before workers do.
    let services: [any Service]

    init(_ configuration: Configuration) async throws {
        let metrics = ServiceMetrics()
        let readiness = Readiness()
        let logger = Logger(label: "burn.service")
        var workers = try configuration.workers(readiness, logger: logger)
        let artifacts = try ArtifactStore(
            directory: configuration.dataDirectory, freeSpaceFloor: configuration.limits.freeBytes)
        let executor = try Cluster.executor(configuration, in: artifacts.directory, logger: logger)
        if let executor { workers.executor = executor }
        let supervisor = try WorkerSupervisor(configuration: workers)
        cluster = executor.map { Cluster($0, supervisor, in: artifacts.directory, readiness, logger: logger) }
        readiness.executor = executor
        store = try JobStore.open(in: artifacts, metrics: metrics.factory)
        let ring = KeyRing(try await store.keys())
        try ListenPolicy.check(configuration, keys: ring)
        let audit = AuditLog(store: store)
        let webhooks = try configuration.webhookSettings()
        var queueing = JobQueue.Configuration()
        queueing.slots = executor?.mostTasks ?? configuration.slots
        queueing.importSlots = queueing.slots
        // A job uses all processors of this machine as it is.
        queueing.jobSlots = configuration.jobSlots ?? (executor == nil ? 1 : 4)
        queueing.jobSlotsOfKey = configuration.quotas.jobSlots
        queueing.sharePatience = .seconds(configuration.shareSeconds)
        queueing.importLimits = configuration.limits.images
        queueing.maximumQueuedJobs = configuration.limits.queuedJobs
        queueing.pictures.workers = configuration.pictures.workers
        queueing.pictures.cacheBytes = configuration.pictures.cacheBytes
        queueing.diskInterval = .seconds(configuration.limits.diskCheckSeconds)
        queueing.metrics = metrics.factory
        let queue = JobQueue(
            store: store, artifacts: artifacts, supervisor: supervisor, configuration: queueing)
        let api = RESTService(
            store: store, queue: queue, artifacts: artifacts,
            limits: RESTService.Limits(
                modelBytes: configuration.limits.modelBytes, datasetBytes: configuration.limits.datasetBytes,
                requestBytes: configuration.limits.requestBytes,
                uploadPatience: .seconds(configuration.uploads.hours * 3_600),
                unfinishedUploads: configuration.uploads.unfinished),
            metrics: metrics, readiness: readiness,
            access: RESTService.Access(
                ring: ring, requiresKeys: !configuration.listen.isLoopback,
                hosts: ListenPolicy.hosts(configuration), proxies: configuration.trustedProxies,
                base: configuration.basePath, quotas: configuration.quotas), audit: audit, webhooks: webhooks)
        var keeping = Housekeeping.Configuration()
        keeping.retention = configuration.retention.policy
        housekeeping = Housekeeping(
            store: store, artifacts: artifacts, uploads: api.uploads, configuration: keeping)
        let delivery = WebhookDelivery(
            store: store, settings: webhooks, program: "\(Release.name)/\(Release.version)")
        let webhookServices = webhooks.hosts.isEmpty ? [] : [WebhookService(delivery: delivery)]
        // Stopped last: until then the queue's tasks are looked after.
        services =
            (cluster.map { [$0] } ?? []) + webhookServices + [
                QueueService(queue: queue), HousekeepingService(housekeeping: housekeeping),
                ControlService(
                    folder: artifacts.directory,
                    desk: KeyAdministration(store: store, ring: ring, audit: audit)),
                WebService(
                    configuration: try configuration.server(), router: api.router(), metrics: metrics,
                    readiness: readiness, stopSeconds: configuration.shutdownSeconds),
            ]
    }
}

private struct QueueService: Service {
    let queue: JobQueue

    func run() async throws {
        try await queue.start()
        try await gracefulShutdown()
        await queue.shutdown()
    }
}

private struct HousekeepingService: Service {
    let housekeeping: Housekeeping

    func run() async throws {
        await cancelWhenGracefulShutdown { await housekeeping.run() }
    }
}

private struct WebhookService: Service {
    let delivery: WebhookDelivery

    func run() async throws {
        await cancelWhenGracefulShutdown { await delivery.run() }
    }
}

private struct WebService: Service {
    let configuration: HTTPServerConfiguration
    let router: Router
    let metrics: ServiceMetrics
    let readiness: Readiness
    let stopSeconds: Int

    func run() async throws {
        let server = try HTTPServer.start(configuration: configuration, handler: router, observer: metrics)
        metrics.watch {
            ConnectionStatistics(
                open: server.connections, eventStreams: server.eventStreams,
                rejected: server.rejectedConnections)
        }
        readiness.state = .ready
        let address = ListenAddress(host: configuration.host, port: server.port)
        // The one line on standard output: programs that start the service read the address from it.
        FileHandle.standardOutput.offer(
            Data(
                "burnd listens on \(configuration.certificate == nil ? "http" : "https")://\(address)\n".utf8)
        )
        try await gracefulShutdown()
        readiness.state = .stopping
        await server.shutdown(deadline: .seconds(stopSeconds))
    }
}

extension Configuration.Retention {
    var policy: RetentionPolicy {
        RetentionPolicy(
            age: days > 0 ? Double(days) * 86_400 : nil, count: jobs > 0 ? jobs : nil,
            tombstoneAge: Double(tombstoneDays) * 86_400)
    }
}

extension Configuration {
    /// - Throws: `Problem` for a secret that is missing or can't be used.
    func webhookSettings() throws -> WebhookSettings {
        guard !webhooks.hosts.isEmpty else { return WebhookSettings() }
        guard let file = webhooks.secretFile else {
            throw Problem(
                .malformed, code: "configuration-invalid", title: "The configuration is not valid",
                detail: "webhooks.hosts lets webhooks be sent, and nothing signs them.",
                location: "webhooks.secret_file", fix: "Set it, or remove webhooks.hosts.")
        }
        return WebhookSettings(
            hosts: webhooks.hosts.compactMap(WebhookOrigin.init),
            secret: try WebhookSettings.secret(inFile: file), certificates: webhooks.certificates,
            tries: webhooks.tries, firstWait: Double(webhooks.retrySeconds))
    }

    /// - Throws: `Problem` for TLS files that can't be used.
    func server() throws -> HTTPServerConfiguration {
        var server = HTTPServerConfiguration()
        server.host = listen.host == "localhost" ? "127.0.0.1" : listen.host
        server.port = listen.port
        server.threads = UInt32(http.threads)
        server.maximumConnections = UInt32(http.connections)
        server.maximumConnectionsPerAddress = UInt32(http.connectionsPerAddress)
        server.unlimitedAddresses = trustedProxies
        server.maximumEventStreams = http.eventStreams
        server.maximumEventStreamsPerClient = http.eventStreamsPerClient
        server.headerBytes = http.headerBytes
        server.minimumUploadRate = UInt64(http.minimumUploadRate)
        if let certificate = tls.certificate, let key = tls.key {
            server.certificate = try TLSCertificate(certificateFile: certificate, keyFile: key)
        } else if tls.certificate != nil || tls.key != nil {
            throw Problem(
                .malformed, code: "configuration-invalid", title: "The configuration is not valid",
                detail: "TLS needs both a certificate and its private key.",
                location: tls.key == nil ? "tls.key" : "tls.certificate", fix: "Set both, or none.")
        }
        server.headerDeadline = .seconds(http.headerSeconds)
        server.idleTimeout = .seconds(http.idleSeconds)
        return server
    }
}
