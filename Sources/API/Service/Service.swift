import ArtifactStore
import Foundation
import HTTPServer
import JobQueue
import JobStore
import Storage
import Support
import Webhooks

/// The REST API over the stores and the queue. `router()` is all that a server needs.
public struct RESTService: Sendable {
    public struct Limits: Sendable {
        public var modelBytes: Int
        public var datasetBytes: Int
        /// Of a JSON request body.
        public var requestBytes: Int
        /// How long a resumable upload waits for its next byte.
        public var uploadPatience: Duration
        /// Unfinished resumable uploads of one owner.
        public var unfinishedUploads: Int

        public init(
            modelBytes: Int = 4 << 30, datasetBytes: Int = 64 << 30, requestBytes: Int = 1 << 20,
            uploadPatience: Duration = .seconds(86_400), unfinishedUploads: Int = 16
        ) {
            self.modelBytes = modelBytes
            self.datasetBytes = datasetBytes
            self.requestBytes = requestBytes
            self.uploadPatience = uploadPatience
            self.unfinishedUploads = unfinishedUploads
        }
    }

    /// What a key may take when its own record does not say.
    public struct Quotas: Sendable {
        public var storedBytes: Int
        public var queuedJobs: Int
        public var uploadBytesPerHour: Int
        public var jobSlots: Int

        public init(
            storedBytes: Int = 500 << 30, queuedJobs: Int = 50, uploadBytesPerHour: Int = 500 << 30,
            jobSlots: Int = 8
        ) {
            self.jobSlots = jobSlots
            self.storedBytes = storedBytes
            self.queuedJobs = queuedJobs
            self.uploadBytesPerHour = uploadBytesPerHour
        }
    }

    /// Who is let in. The default is for a service that only its own machine can reach.
    public struct Access: Sendable {
        public var ring: KeyRing
        /// Whether keys are needed even before the first one is made.
        public var requiresKeys: Bool
        public var hosts: HostStage
        /// Numeric addresses of proxies whose X-Forwarded-For and X-Forwarded-Prefix are believed.
        public var proxies: [String]
        /// Where a proxy serves the service.
        public var base: BasePath
        public var quotas: Quotas

        public init(
            ring: KeyRing = KeyRing(), requiresKeys: Bool = false,
            hosts: HostStage = HostStage(names: ["localhost", "127.0.0.1", "[::1]"], scheme: "http"),
            proxies: [String] = [], base: BasePath = .top,
            quotas: Quotas = Quotas()
        ) {
            self.ring = ring
            self.requiresKeys = requiresKeys
            self.hosts = hosts
            self.proxies = proxies
            self.base = base
            self.quotas = quotas
        }
    }

    let store: JobStore
    let queue: JobQueue
    let artifacts: ArtifactStore
    let limits: Limits
    let checkHead: HeadCheck
    let webhooks: WebhookSettings
    let metrics: ServiceMetrics
    let readiness: Readiness
    let access: Access
    let audit: AuditLog
    let ledger = UploadQuotas()
    /// For the housekeeping, which finishes and ends them too.
    public let uploads: ResumableUploads

    public init(
        store: JobStore, queue: JobQueue, artifacts: ArtifactStore, limits: Limits = Limits(),
        checkHead: @escaping HeadCheck = RESTService.checkHead,
        metrics: ServiceMetrics = ServiceMetrics(), readiness: Readiness = Readiness(),
        access: Access = Access(), audit: AuditLog? = nil, webhooks: WebhookSettings = WebhookSettings()
    ) {
        self.store = store
        self.queue = queue
        self.artifacts = artifacts
        self.limits = limits
        self.checkHead = checkHead
        self.metrics = metrics
        self.readiness = readiness
        self.access = access
        self.webhooks = webhooks
        self.audit = audit ?? AuditLog(store: store)
        uploads = ResumableUploads(
            store: store, artifacts: artifacts, patience: limits.uploadPatience,
            maximumUnfinished: limits.unfinishedUploads,
            options: { try ImportParameters($0).options($0.kind) }, registered: { await queue.wake() }
        ) { record, path in
            let options = record.kind == .model ? try ImportParameters(record).model() : nil
            return try await queue.checker.check(Self.check(record.kind, options, at: path))
        }
    }

    /// What the service's own paths begin with, which no base path may.
    public static let names: Set<String> = ["assets", "healthz", "metrics", "openapi.json", "readyz", "v1"]

    public func router() -> Router {
        var router = Router()
        addModelRoutes(to: &router)
        addDatasetRoutes(to: &router)
        addUploadRoutes(to: &router)
        addJobRoutes(to: &router)
        addResultRoutes(to: &router)
        addEvidenceRoutes(to: &router)
        addPictureRoutes(to: &router)
        addReviewRoutes(to: &router)
        addSystemRoutes(to: &router)
        addOverviewRoute(to: &router)
        addAuditRoute(to: &router)
        addKeysRoute(to: &router)
        addDashboardRoutes(to: &router)
        router.mount = Mount(base: access.base, proxies: access.proxies)
        router.stages = [
            ForwardedStage(proxies: access.proxies),
            access.hosts,
            AuthenticationStage(ring: access.ring, isRequired: access.requiresKeys),
            AuthorizationStage(),
            OwnershipStage(store: store),
            ContentCodingStage(),
            QuotaStage(store: store, ledger: ledger, defaults: access.quotas),
        ]
        router.concluded = audit.concluded
        return router
    }

    /// A blob as a download that can be resumed.
    func download(_ blob: Blob, as name: String, type: String = "application/octet-stream") throws
        -> HTTPResponse
    {
        guard let path = artifacts.path(of: blob.sha256) else {
            throw Problem(
                .internal, code: "artifact-lost", title: "The service failed",
                detail: "The file \(blob.sha256) is not in the store any more.",
                fix: "Restore the service's data folder from its backup.")
        }
        let body = FileBody(path: path, etag: blob.sha256, contentType: type, downloadName: name)
        var headers: HTTPFields = [:]
        headers[.reprDigest] = Self.digest(blob.sha256)
        return HTTPResponse(status: .ok, headers: headers, body: .file(body))
    }

    /// `sha-256=:BASE64:` (RFC 9530) of a digest in hexadecimal; nil for text that is none.
    static func digest(_ sha256: String) -> String? {
        let digits = Array(sha256)
        guard digits.count == 64 else { return nil }
        let bytes = stride(from: 0, to: 64, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
        return bytes.count == 32 ? "sha-256=:\(Data(bytes).base64EncodedString()):" : nil
    }
}
