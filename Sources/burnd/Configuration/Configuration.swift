import API
import Logging
import WorkerProtocol

/// Everything that can be set about `burnd serve`. Each key is documented in `Setting.all` and in
/// config/burnd.yaml.
struct Configuration: Sendable {
    var listen = ListenAddress(host: "127.0.0.1", port: 8080)
    /// The database, the uploads and the results live below it.
    var dataDirectory = "data"
    /// The `burn-worker` program. Nil: the one beside `burnd`.
    var worker: String?
    /// Jobs and imports that run at the same time.
    var slots = 1
    /// Whether workers confine themselves.
    var sandbox = SandboxMode.preferred
    /// What jobs compute on.
    var device = ComputeDevice.cpu
    /// Seconds that open requests get to end at shutdown.
    var shutdownSeconds = 10
    var http = HTTP()
    var tls = TLS()
    /// Listen beyond loopback without TLS.
    var insecureHTTP = false
    /// Hosts, beside the address listened on, that requests may name.
    var allowedHosts: [String] = []
    /// Numeric addresses of proxies whose X-Forwarded-For is believed.
    var trustedProxies: [String] = []
    var quotas = RESTService.Quotas()
    var limits = Limits()
    var uploads = Uploads()
    var pictures = Pictures()
    var retention = Retention()
    var logLevel = Logger.Level.info
    var logFormat = LogFormat.text

    /// Resumable uploads.
    struct Uploads: Sendable {
        /// Hours that one waits for its next byte.
        var hours = 24
        /// Unfinished ones of one API key.
        var unfinished = 16
    }

    /// Pictures of samples, made when somebody looks.
    struct Pictures: Sendable {
        /// Workers that make them, beside those of jobs.
        var workers = 1
        /// Those that are kept, of all jobs; what was looked at longest ago goes first.
        var cacheBytes = 1 << 30
    }

    /// How long finished jobs are kept; 0 is for good.
    struct Retention: Sendable {
        var days = 0
        var jobs = 0
        /// Days that a removed job is still answered 410.
        var tombstoneDays = 365
    }

    struct TLS: Sendable {
        /// PEM files; both or none.
        var certificate: String?
        var key: String?
    }

    struct HTTP: Sendable {
        var threads = 2
        var connections = 4096
        /// From one address that is no trusted proxy's.
        var connectionsPerAddress = 1024
        var eventStreams = 256
        var eventStreamsPerClient = 32
        /// Seconds until the headers of a request must be there.
        var headerSeconds = 20
        /// Seconds without a byte before a connection is closed.
        var idleSeconds = 60
        /// Of a request's line and header section.
        var headerBytes = 16 << 10
        /// Bytes a second that an upload must have on average.
        var minimumUploadRate = 512
    }

    struct Limits: Sendable {
        var modelBytes = 4 << 30
        var datasetBytes = 64 << 30
        /// Free space that uploads must leave on the disk.
        var freeBytes = 1 << 30
        /// Between two looks at the free space.
        var diskCheckSeconds = 5
        /// Of a JSON request body.
        var requestBytes = 1 << 20
        /// Jobs that wait or run; more get 429.
        var queuedJobs = 200
        var images = ImportLimits()
        /// Memory of one worker. Nil: four fifths of the machine's, shared out among the slots.
        var workerMemory: Int?
        /// One attempt of a job, and one import or probe.
        var jobSeconds = 48 * 3600
        var importSeconds = 6 * 3600
        /// The look at an upload before it is kept.
        var checkSeconds = 120
        var checkMemory = 2 << 30
        /// A worker that says nothing for longer hangs.
        var silenceSeconds = 30
    }
}
