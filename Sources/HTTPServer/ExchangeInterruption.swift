import Support

/// What ends an exchange from outside: its client, or the server that stops.
extension Exchange {
    /// The client closed its end of a streamed reply, or of an upload that it got no answer to: nobody waits for the work
    /// that is done for it.
    func peerLeft() {
        let (pipe, task, isUpload) = state.withLock { state in
            if case .upload = state.body {
                (state.pipe, state.task, true)
            } else {
                (state.pipe, state.task, false)
            }
        }
        pipe?.cancel()
        if pipe != nil || isUpload { task?.cancel() }
    }

    /// The server stops: an event stream ends cleanly.
    func endEvents() {
        let (pipe, task) = state.withLock { $0.streamPlace != nil ? ($0.pipe, $0.task) : (nil, nil) }
        pipe?.finish(failed: false)
        if pipe != nil { task?.cancel() }
    }

    /// The server's patience is over: 503 when an answer is owed, an end when one is being streamed.
    func giveUp() {
        let task = state.withLock(\.task)
        let problem = Problem(
            .unavailable, code: "stopping", title: "The service is stopping",
            detail: "the request was not answered in time", fix: "try again once the service is back")
        answer(.problem(problem, instance: incoming.path, headers: [.retryAfter: "5"]), close: true)
        state.withLock(\.pipe)?.cancel()
        task?.cancel()
    }
}
