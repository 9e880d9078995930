import HTTPServer
import JobStore
import Support

/// Holds uploads against their key's quotas before a byte is read. The number of queued jobs is checked where
/// a job is stored, and the storage of a resumable upload where that is: in the same transaction.
struct QuotaStage: RequestStage {
    let name = "quota"
    let store: JobStore
    let ledger: UploadQuotas
    let defaults: RESTService.Quotas

    func admit(_ head: inout HTTPRequestHead, to route: RouteDescription) async throws {
        guard route.isUpload, let key = (head.principal as? Principal)?.key else { return }
        let bytes = Int(clamping: head.contentLength ?? 0)
        // A piece of an upload, which the path names, has its room already; a resumable one gets it when it is made.
        if head.parameters.isEmpty, route.pattern != RESTService.uploadCollection {
            let maximum = key.quota.storedBytes ?? defaults.storedBytes
            head.reservation = try await store.withTakenBytes(of: key.id) { [ledger] taken in
                try ledger.reserve(bytes, for: key.id, taken: taken, maximum: maximum)
            }
        }
        let perHour = key.quota.uploadBytesPerHour ?? defaults.uploadBytesPerHour
        if let seconds = ledger.charge(bytes, to: key.id, perHour: perHour) {
            throw HTTPRefusal(
                Problem(
                    .rateLimited, code: "upload-rate-exceeded", title: "The key has uploaded too much lately",
                    detail: "\(perHour) bytes an hour are allowed", fix: "try again in \(seconds) s"),
                headers: [.retryAfter: String(seconds)])
        }
    }
}
