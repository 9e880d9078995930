import Foundation
import JobStore
import Webhooks

/// A job's webhook as the API shows it. The address is not shown: its path and query may be a secret of whoever gave it.
struct WebhookResource: Encodable {
    var host: String?
    var state: String
    var delivery: DeliveryRecord?

    init(_ webhook: Webhook, _ delivery: DeliveryRecord?) {
        host = (try? WebhookAddress(webhook.url))?.origin.description
        state = delivery?.state.rawValue ?? "waiting"
        self.delivery = delivery
    }

    private enum CodingKeys: String, CodingKey {
        case host, state, id, tries, status, failure
        case nextTryAt = "next_try_at"
        case deliveredAt = "delivered_at"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(host, forKey: .host)
        try container.encode(state, forKey: .state)
        try container.encode(delivery?.id, forKey: .id)
        try container.encode(delivery?.tries ?? 0, forKey: .tries)
        try container.encode(delivery?.status, forKey: .status)
        try container.encode(delivery?.failure, forKey: .failure)
        try container.encode(delivery?.nextAt.map(Timestamp.text), forKey: .nextTryAt)
        let deliveredAt = delivery?.state == .delivered ? delivery?.endedAt : nil
        try container.encode(deliveredAt.map(Timestamp.text), forKey: .deliveredAt)
    }
}
