import HTTPServer
import JobStore
import Problems

/// Holds uploads against their key's quotas before a byte is read. The number of queued jobs is checked where
/// a job is stored, in the same transaction.
struct QuotaStage: RequestStage {
    let name = "quota"
    let store: JobStore
    let ledger: UploadLedger
    let defaults: RESTService.Quotas

    func admit(_ head: inout HTTPRequestHead, to route: RouteDescription) async throws {
        guard route.isUpload, let key = (head.principal as? Principal)?.key else { return }
        let bytes = Int(clamping: head.contentLength ?? 0)
        try await reserve(bytes, for: key, of: &head)
        let perHour = key.quota.uploadBytesPerHour ?? defaults.uploadBytesPerHour
        if let seconds = ledger.charge(bytes, to: key.id, perHour: perHour) {
            throw HTTPRefusal(
                Problem(
                    .rateLimited, code: "upload-rate-exceeded", title: "The key has uploaded too much lately",
                    detail: "\(perHour) bytes an hour are allowed", fix: "try again in \(seconds) s"),
                headers: ["Retry-After": String(seconds)])
        }
    }

    private func reserve(_ bytes: Int, for key: KeyRecord, of head: inout HTTPRequestHead) async throws {
        let maximum = key.quota.storedBytes ?? defaults.storedBytes
        let stored = try await store.storedBytes(of: key.id)
        guard let reservation = ledger.reserve(bytes, for: key.id, stored: stored, maximum: maximum) else {
            throw HTTPRefusal(
                Problem(
                    .insufficientStorage, code: "key-storage-full", title: "The key's storage is full",
                    detail: "\(stored) of \(maximum) bytes are taken, \(bytes) more were announced",
                    location: "Content-Length",
                    fix: "DELETE models and data sets that are not needed any more"))
        }
        head.reservation = reservation
    }
}
