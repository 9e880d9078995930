import Foundation
import FoundationNetworking
import Support
import Synchronization

extension ServiceClient {
    /// What happens in a job: everything so far (after `after`), then each event as it comes, until the job has
    /// ended. A connection that breaks is made again from the last event on, also over a restart of the service.
    ///
    /// - Parameter interrupted: told of each break.
    /// - Returns: events in order, each once. The stream throws `Problem`: the job is unknown or was removed, or the
    ///   service was not to be reached for longer than all tries together.
    public func events(
        of job: String, after: String? = nil,
        interrupted: @escaping @Sendable (Problem) -> Void = { _ in }
    ) -> AsyncThrowingStream<ServerEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    try await follow(job, after: after, interrupted: interrupted) { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func follow(
        _ job: String, after: String?, interrupted: @Sendable (Problem) -> Void,
        _ yield: (ServerEvent) -> Void
    ) async throws {
        var last = after
        var failures = 0
        while true {
            do {
                for try await event in connection(job, last) {
                    failures = 0
                    last = event.id ?? last
                    yield(event)
                }
                // The service ends a stream after the final event, or because it stops itself.
                let shown: JobReply = try decode(
                    try await checked(request("GET", "/v1/jobs/\(job)")).body)
                if shown.state.isTerminal { return }
                throw Problem(
                    .unavailable, code: "stream-ended", title: "The stream of events ended",
                    detail: "The job is \(shown.state.rawValue).",
                    fix: "Follow it again: burnd client jobs watch JOB")
            } catch let problem as Problem where Backoff.isPassing(problem) && failures < backoff.tries {
                interrupted(problem)
                try await Task.sleep(for: backoff.delay(after: failures))
                failures += 1
            }
        }
    }

    /// One connection's events.
    private func connection(_ job: String, _ last: String?) -> AsyncThrowingStream<ServerEvent, any Error> {
        var headers = ["Accept": "text/event-stream"]
        headers["Last-Event-ID"] = last
        let request = request("GET", "/v1/jobs/\(job)/events", headers: headers)
        return AsyncThrowingStream { continuation in
            let receiver = EventReceiver(continuation) { unreachable($0) }
            // A session of its own: its delegate gets the bytes as they come.
            let session = URLSession(
                configuration: Self.configuration(), delegate: receiver, delegateQueue: nil)
            let task = session.dataTask(with: request)
            continuation.onTermination = { _ in
                task.cancel()
                session.invalidateAndCancel()
            }
            task.resume()
        }
    }
}

/// Turns the bytes of one connection into events. Its session calls it on one queue, one call after the other.
private final class EventReceiver: NSObject, URLSessionDataDelegate, Sendable {
    private struct State {
        var lines = EventLines()
        var refused: ServiceClient.Answer?
    }

    private let continuation: AsyncThrowingStream<ServerEvent, any Error>.Continuation
    private let unreachable: @Sendable (any Error) -> Problem
    private let state = Mutex(State())

    init(
        _ continuation: AsyncThrowingStream<ServerEvent, any Error>.Continuation,
        unreachable: @escaping @Sendable (any Error) -> Problem
    ) {
        self.continuation = continuation
        self.unreachable = unreachable
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        if let answer = try? ServiceClient.answer(Data(), response), answer.status != 200 {
            state.withLock { $0.refused = answer }
        }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let outcome = state.withLock { state -> Result<[ServerEvent], any Error> in
            if state.refused != nil {
                // Of a problem document, what could be more than that is not kept.
                if state.refused?.body.count ?? 0 < 1 << 20 { state.refused?.body += data }
                return .success([])
            }
            return Result { try state.lines.take(data) }
        }
        switch outcome {
        case .success(let events): for event in events { continuation.yield(event) }
        case .failure(let error): continuation.finish(throwing: unreachable(error))
        }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let refused = state.withLock { $0.refused }
        if let refused {
            continuation.finish(throwing: ServiceClient.refusal(refused))
        } else if let error {
            continuation.finish(throwing: unreachable(error))
        } else {
            continuation.finish()
        }
        session.finishTasksAndInvalidate()
    }
}
