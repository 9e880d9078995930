import API
import ArgumentParser
import ArtifactStore
import Foundation
import HTTPServer
import JobQueue
import JobStore
import Logging
import Problems
import ServiceLifecycle
import WorkerSupervisor

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the HTTP service.",
        discussion: """
            Settings come from the file, then from BURND_… variables, then from flags. \
            config/burnd.yaml explains every one.
            """)

    @Option(help: "Configuration file (YAML or JSON).")
    var config: String?

    @Option(help: "Address to listen on; port 0 takes a free one. Default: 127.0.0.1:8080.")
    var listen: String?

    @Option(help: "Folder of the database, the uploads and the results. Default: data.")
    var data: String?

    @Option(help: "The burn-worker program. Default: the one beside burnd.")
    var worker: String?

    func run() async throws {
        try await reportingProblems {
            let flags = [("listen", listen), ("data", data), ("worker", worker)]
            let configuration = try ConfigurationLoader.load(
                file: config, environment: ProcessInfo.processInfo.environment,
                flags: flags.compactMap { key, text in text.map { (key, $0) } })
            try await serve(configuration)
        }
    }

    private func serve(_ configuration: Configuration) async throws {
        guard configuration.listen.isLoopback else {
            throw Problem(
                .forbidden, code: "listen-not-loopback", title: "Refusing to listen beyond this machine",
                detail: "\(configuration.listen) can be reached by others, and the service has no API keys.",
                location: "listen", fix: "Listen on 127.0.0.1 or [::1], behind a proxy that authenticates.")
        }
        let level = configuration.logLevel
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let daemon = try Daemon(configuration)
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
    /// In the order of their start; stopped in the reverse order, so that requests end before workers do.
    let services: [any Service]

    init(_ configuration: Configuration) throws {
        let metrics = ServiceMetrics()
        let readiness = Readiness()
        var worker = WorkerSupervisor.Configuration()
        worker.executable = configuration.worker
        let supervisor = try WorkerSupervisor(configuration: worker)
        let artifacts = try ArtifactStore(
            directory: configuration.dataDirectory, freeSpaceFloor: configuration.limits.freeBytes)
        store = try JobStore(path: artifacts.directory + "/burn.sqlite")
        var queueing = JobQueue.Configuration()
        queueing.slots = configuration.slots
        queueing.importSlots = configuration.slots
        queueing.importLimits = configuration.limits.images
        queueing.maximumQueuedJobs = configuration.limits.queuedJobs
        queueing.observer = metrics
        let queue = JobQueue(
            store: store, artifacts: artifacts, supervisor: supervisor, configuration: queueing)
        let api = RESTService(
            store: store, queue: queue, artifacts: artifacts,
            limits: RESTService.Limits(
                modelBytes: configuration.limits.modelBytes, datasetBytes: configuration.limits.datasetBytes,
                requestBytes: configuration.limits.requestBytes),
            metrics: metrics, readiness: readiness)
        services = [
            QueueService(queue: queue),
            WebService(
                configuration: configuration.server, router: api.router(), metrics: metrics,
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

private struct WebService: Service {
    let configuration: HTTPServerConfiguration
    let router: Router
    let metrics: ServiceMetrics
    let readiness: Readiness
    let stopSeconds: Int

    func run() async throws {
        let server = try HTTPServer.start(configuration: configuration, handler: router, observer: metrics)
        readiness.state = .ready
        let address = ListenAddress(host: configuration.host, port: server.port)
        // The one line on standard output: programs that start the service read the address from it.
        FileHandle.standardOutput.write(Data("burnd listens on http://\(address)\n".utf8))
        try await gracefulShutdown()
        readiness.state = .stopping
        await server.shutdown(deadline: .seconds(stopSeconds))
    }
}

extension Configuration {
    var server: HTTPServerConfiguration {
        var server = HTTPServerConfiguration()
        server.host = listen.host == "localhost" ? "127.0.0.1" : listen.host
        server.port = listen.port
        server.threads = UInt32(http.threads)
        server.maximumConnections = UInt32(http.connections)
        server.headerDeadline = .seconds(http.headerSeconds)
        server.idleTimeout = .seconds(http.idleSeconds)
        return server
    }
}
