import Foundation
import HTTPServer
import JobStore
import Logging
import Support

/// Writes who did what into the audit log: every request that may change something and reached its route,
/// every use of an administrator's route, every change of a key, and refusals.
public final class AuditLog: Sendable {
    private struct Refusals {
        var allowance = 60.0
        var refilled = ContinuousClock.now
        var unrecorded = 0
    }

    private let store: JobStore
    private let logger: Logger
    private let refusals = Mutex(Refusals())

    public init(store: JobStore, logger: Logger = Logger(label: "burn.audit")) {
        self.store = store
        self.logger = logger
    }

    /// Durable when it returns. A database that cannot write now does not undo what was done: the entry then
    /// goes to the log.
    public func record(_ entry: AuditEntry) async {
        do {
            try await store.appendAudit(entry)
        } catch {
            logger.error("audit entry not stored", metadata: ["entry": "\(entry)", "error": "\(error)"])
        }
    }

    /// See `Router.concluded`.
    func concluded(_ head: HTTPRequestHead, _ route: RouteDescription, _ response: HTTPResponse) async {
        var entry = AuditEntry(
            key: head.owner, remote: head.remoteAddress,
            action: "\(head.method.rawValue) \(route.pattern ?? "-")",
            target: String(head.base.dropped(from: response.headers[.location] ?? head.path).prefix(512)),
            status: response.status.code,
            requestID: head.id)
        if [.unauthorized, .forbidden, .misdirectedRequest, .tooManyRequests].contains(response.status) {
            guard let unrecorded = takeRefusal() else { return }
            if unrecorded > 0 { entry.detail = "\(unrecorded) refusals before this one were not recorded" }
            await record(entry)
        } else if route.access >= .submit {
            await record(entry)
        }
    }

    /// Anybody can be refused as often as they like: refusals are recorded up to 60 at once and one a second,
    /// the others counted.
    /// - Returns: nil when this one is only counted, else how many were before it.
    private func takeRefusal() -> Int? {
        refusals.withLock { refusals in
            let now = ContinuousClock.now
            refusals.allowance = min(
                60, refusals.allowance + refusals.refilled.duration(to: now) / .seconds(1))
            refusals.refilled = now
            guard refusals.allowance >= 1 else {
                refusals.unrecorded += 1
                return nil
            }
            refusals.allowance -= 1
            defer { refusals.unrecorded = 0 }
            return refusals.unrecorded
        }
    }
}
