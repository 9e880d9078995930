import API
import HTTPServer
import Logging
import WorkerProtocol
import Workers

/// Where jobs and imports run.
enum ExecutorKind: String, CaseIterable, Sendable {
    case local, slurm
}

/// Everything that can be set about `burnd serve`, with its default. `Setting.all` has its key, meaning and limits.
struct Configuration: Sendable {
    var listen = ListenAddress(host: "127.0.0.1", port: 8080)
    var allowedHosts: [String] = []
    var trustedProxies: [String] = []
    var basePath = BasePath.top
    var tls = TLS()
    var insecureHTTP = false
    var dataDirectory = "data"
    var worker: String?
    var slots = 1
    var jobSlots: Int?
    var shareSeconds = 20
    var executor = ExecutorKind.local
    var slurm = SlurmSettings()
    var sandbox = SandboxMode.preferred
    var device = ComputeDevice.cpu
    var shutdownSeconds = 10
    var logLevel = Logger.Level.info
    var logFormat = LogFormat.text
    var http = HTTP()
    var quotas = RESTService.Quotas()
    var limits = Limits()
    var uploads = Uploads()
    var pictures = Pictures()
    var retention = Retention()
    var webhooks = Webhooks()

    /// Both or none.
    struct TLS: Sendable {
        var certificate: String?
        var key: String?
    }

    struct HTTP: Sendable {
        var threads = 2
        var connections = 4096
        var connectionsPerAddress = 1024
        var eventStreams = 256
        var eventStreamsPerClient = 32
        var headerBytes = 16 << 10
        var headerSeconds = 20
        var idleSeconds = 60
        var minimumUploadRate = 512
    }

    struct Limits: Sendable {
        var modelBytes = 4 << 30
        var datasetBytes = 64 << 30
        var freeBytes = 1 << 30
        var diskCheckSeconds = 5
        var requestBytes = 1 << 20
        var queuedJobs = 200
        var images = ImportLimits()
        var workerMemory: Int?
        var jobSeconds = 48 * 3600
        var importSeconds = 6 * 3600
        var checkSeconds = 120
        var checkMemory = 2 << 30
        var silenceSeconds = 30
    }

    struct Uploads: Sendable {
        var hours = 24
        var unfinished = 16
    }

    struct Pictures: Sendable {
        var workers = 1
        var cacheBytes = 1 << 30
    }

    struct Webhooks: Sendable {
        var hosts: [String] = []
        var secretFile: String?
        var certificates: String?
        var tries = 12
        var retrySeconds = 10
    }

    struct Retention: Sendable {
        var days = 0
        var jobs = 0
        var tombstoneDays = 365
    }
}
