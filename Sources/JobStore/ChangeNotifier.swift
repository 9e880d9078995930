import Foundation
import Support

/// Wakes those who wait for a change of one job, model or data set, after the change is committed.
///
/// A wake-up carries no data: the waiter reads the database again, so that joined or lost signals cost
/// nothing. Subscribe first, then read.
final class ChangeNotifier: Sendable {
    private typealias Continuations = [UUID: AsyncStream<Void>.Continuation]
    private let waiting = Mutex<[String: Continuations]>([:])

    func changes(of id: String) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let token = UUID()
        waiting.withLock { $0[id, default: [:]][token] = continuation }
        continuation.onTermination = { [weak self] _ in
            self?.waiting.withLock { waiting in
                waiting[id]?[token] = nil
                if waiting[id]?.isEmpty == true { waiting[id] = nil }
            }
        }
        return stream
    }

    func signal(_ id: String) {
        let continuations = waiting.withLock { Array(($0[id] ?? [:]).values) }
        for continuation in continuations { continuation.yield() }
    }

    var waiterCount: Int { waiting.withLock { $0.values.reduce(0) { $0 + $1.count } } }
}
