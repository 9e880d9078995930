import CHTTPServer
import Dispatch
import Logging
import Support

/// What all exchanges of a server share.
final class HTTPService: Sendable {
    let configuration: HTTPServerConfiguration
    let handler: any HTTPHandler
    let observer: (any HTTPObserver)?
    let logger: Logger
    /// Where sinks write: blocking is fine here, and on no other thread of the server. A quality of service
    /// other than the default keeps its threads apart from those that Swift's tasks run on (on Linux,
    /// Dispatch has one pool for each).
    let uploads = DispatchQueue(label: "burn.http.uploads", qos: .utility, attributes: .concurrent)

    let streams: StreamLimit

    private struct State {
        var draining = false
        var exchanges: [ObjectIdentifier: Exchange] = [:]
    }
    private let state = Mutex(State())

    init(
        configuration: HTTPServerConfiguration, handler: any HTTPHandler, observer: (any HTTPObserver)?,
        logger: Logger
    ) {
        self.configuration = configuration
        self.handler = handler
        self.observer = observer
        self.logger = logger
        streams = StreamLimit(
            maximum: configuration.maximumEventStreams,
            maximumPerClient: configuration.maximumEventStreamsPerClient)
    }

    var draining: Bool { state.withLock(\.draining) }

    /// Event streams never end by themselves: from here on they are ended.
    func drain() {
        for exchange in state.withLock({ state in
            state.draining = true
            return Array(state.exchanges.values)
        }) { exchange.endEvents() }
    }

    /// Answers everything that is still unanswered with 503.
    func answerAll() {
        for exchange in state.withLock({ Array($0.exchanges.values) }) { exchange.giveUp() }
    }

    func add(_ exchange: Exchange) {
        state.withLock { $0.exchanges[ObjectIdentifier(exchange)] = exchange }
        observer?.requestBegan()
    }

    func remove(_ exchange: Exchange) {
        state.withLock { _ = $0.exchanges.removeValue(forKey: ObjectIdentifier(exchange)) }
    }

    /// The shim's view of this service. The service must outlive the C server.
    var callbacks: burn_http_callbacks {
        func exchange(_ pointer: UnsafeMutableRawPointer?) -> Exchange? {
            pointer.map { Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
        }
        return burn_http_callbacks(
            context: Unmanaged.passUnretained(self).toOpaque(),
            begin: { context, request, head in
                guard let context, let request, let head else { return nil }
                let service = Unmanaged<HTTPService>.fromOpaque(context).takeUnretainedValue()
                let exchange = Exchange(service: service, request: request, head: head.pointee)
                service.add(exchange)
                exchange.start()
                return Unmanaged.passRetained(exchange).toOpaque()
            },
            body: { pointer, bytes, length in
                exchange(pointer)?.take(UnsafeRawBufferPointer(start: bytes, count: length)) ?? -1
            },
            complete: { exchange($0)?.bodyCompleted() },
            read: { pointer, buffer, capacity in
                exchange(pointer)?.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: capacity))
                    ?? -2
            },
            gone: { exchange($0)?.peerLeft() },
            end: { pointer, completed in
                guard let pointer else { return }
                Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue().ended(completed: completed)
            })
    }
}
