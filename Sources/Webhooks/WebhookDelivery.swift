import Foundation
import JobStore
import Logging
import Support

/// Sends what is due, for as long as it runs. What is due stands in the database, so that a restart loses nothing;
/// what was taken by a receiver whose answer was lost is sent again, under the same id.
public struct WebhookDelivery: Sendable {
    private let store: JobStore
    private let settings: WebhookSettings
    private let sender: WebhookSender
    private let program: String
    private let logger: Logger
    /// Sent side by side.
    private static let most = 8
    /// Between two looks at the database.
    private static let interval = Duration.seconds(1)

    /// - Parameter program: names the service and its version to receivers.
    public init(
        store: JobStore, settings: WebhookSettings, program: String,
        logger: Logger = Logger(label: "burn.webhooks")
    ) {
        self.store = store
        self.settings = settings
        self.program = program
        self.logger = logger
        sender = WebhookSender(certificates: settings.certificates, patience: WebhookSettings.patience)
    }

    /// Until the task is cancelled.
    public func run() async {
        while !Task.isCancelled {
            do {
                let due = try await store.dueDeliveries(limit: Self.most)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for delivery in due { group.addTask { try await deliver(delivery) } }
                    try await group.waitForAll()
                }
                if due.count == Self.most { continue }
            } catch {
                if Task.isCancelled { return }
                logger.error("webhooks not sent", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func deliver(_ delivery: WebhookDue) async throws {
        guard let address = try? WebhookAddress(delivery.url), settings.hosts.contains(address.origin) else {
            return try await store.abandon(
                delivery, status: nil, failure: "the host is not in webhooks.hosts any more")
        }
        let request = WebhookRequest(address: address, id: delivery.id, body: delivery.body)
        let bytes = request.bytes(
            seconds: Int(Date().timeIntervalSince1970), secret: settings.secret, program: program)
        let outcome = await sender.send(bytes, to: address.origin)
        // The one that stopped waiting does not know what came of it.
        try Task.checkCancellation()
        let status: Int?
        let failure: String?
        switch outcome {
        case .answered(let code) where (200..<300).contains(code):
            return try await store.deliver(delivery, status: code)
        case .answered(let code):
            (status, failure) = (code, (300..<400).contains(code) ? "a redirect is not followed" : nil)
        case .failed(let text): (status, failure) = (nil, text)
        }
        logger.warning(
            "webhook not taken",
            metadata: [
                "delivery": "\(delivery.id)", "host": "\(address.origin)", "status": "\(status ?? 0)",
                "failure": "\(failure ?? "")", "try": "\(delivery.tries + 1)",
            ])
        // 410: the receiver wants no more of it.
        if status == 410 || delivery.tries + 1 >= settings.tries {
            try await store.abandon(delivery, status: status, failure: failure)
        } else {
            try await store.postpone(
                delivery, seconds: settings.wait(after: delivery.tries + 1), status: status, failure: failure)
        }
    }
}
