import Support

/// Counts the open event streams, in all and for each client.
final class StreamLimit: Sendable {
    /// One stream's place. Releasing it makes room.
    final class Place: Sendable {
        private let limit: StreamLimit
        private let client: String

        fileprivate init(limit: StreamLimit, client: String) {
            self.limit = limit
            self.client = client
        }

        deinit { limit.leave(client) }
    }

    private struct State {
        var total = 0
        var clients: [String: Int] = [:]
    }

    private let maximum, maximumPerClient: Int
    private let state = Mutex(State())

    init(maximum: Int, maximumPerClient: Int) {
        self.maximum = maximum
        self.maximumPerClient = maximumPerClient
    }

    /// Nil when there is no place left.
    func enter(_ client: String) -> Place? {
        let entered = state.withLock { state in
            guard state.total < maximum, state.clients[client, default: 0] < maximumPerClient else {
                return false
            }
            state.total += 1
            state.clients[client, default: 0] += 1
            return true
        }
        return entered ? Place(limit: self, client: client) : nil
    }

    private func leave(_ client: String) {
        state.withLock { state in
            state.total -= 1
            let left = state.clients[client, default: 1] - 1
            state.clients[client] = left > 0 ? left : nil
        }
    }

    /// Streams that are open now.
    var count: Int { state.withLock(\.total) }

    var explanation: String { "at most \(maximum) may be open, \(maximumPerClient) of them by one client" }
}
