import API
import Dispatch
import Foundation
import Logging
import ServiceLifecycle

/// Answers commands of the same machine's user while the service runs.
struct ControlService: Service {
    let folder: String
    let desk: KeyAdministration

    func run() async throws {
        let listener = try ControlSocket.listening(in: folder)
        // Its calls block: a thread of its own, not one of those that tasks run on.
        let queue = DispatchQueue(label: "burn.control")
        queue.async { accept(on: listener) }
        try await gracefulShutdown()
        unlink(folder + "/" + ControlSocket.name)
        // Wakes the thread, which ends.
        shutdown(listener.descriptor, Int32(SHUT_RDWR))
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
        close(listener.descriptor)
    }

    private func accept(on listener: ControlSocket) {
        while true {
            let peer = Glibc.accept(listener.descriptor, nil, nil)
            if peer < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return
            }
            serve(ControlSocket(descriptor: peer))
            close(peer)
        }
    }

    private func serve(_ socket: ControlSocket) {
        guard socket.isTrusted else { return }
        socket.setTimeout(seconds: 5)
        do {
            let request = try socket.receive(ControlRequest.self)
            let answered = DispatchSemaphore(value: 0)
            let reply = Box()
            Task {
                reply.value = await desk.answer(request)
                answered.signal()
            }
            answered.wait()
            if let reply = reply.value { try socket.send(reply) }
        } catch {
            Logger(label: "burn.control").warning("request not answered", metadata: ["error": "\(error)"])
        }
    }

    /// Unchecked: written before the semaphore is signalled, read after.
    private final class Box: @unchecked Sendable {
        var value: ControlReply?
    }
}
