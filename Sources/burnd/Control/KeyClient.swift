import API
import ArtifactStore
import Foundation
import JobStore
import Storage
import Support

/// Reaches the keys of a data folder: through the service that runs on it, else in its database itself.
enum KeyClient {
    static func send(_ request: ControlRequest, data folder: String) async throws -> ControlReply {
        let folder = URL(filePath: folder).standardizedFileURL.path
        let artifacts: ArtifactStore
        do {
            // Takes the folder's lock, so that no service starts meanwhile.
            artifacts = try ArtifactStore(directory: folder)
        } catch let problem as Problem where problem.code == "data-directory-in-use" {
            return try ask(request, folder)
        }
        let store = try JobStore.open(in: artifacts)
        let desk = KeyAdministration(store: store, ring: KeyRing(), audit: AuditLog(store: store))
        let reply = await desk.answer(request)
        try store.close()
        withExtendedLifetime(artifacts) {}
        return reply
    }

    private static func ask(_ request: ControlRequest, _ folder: String) throws -> ControlReply {
        let socket = try ControlSocket.connected(to: folder)
        defer { close(socket.descriptor) }
        guard socket.isTrusted else {
            throw Problem(
                .forbidden, code: "control-socket", title: "The running service cannot be reached",
                detail: "It runs as another user.", fix: "Run this command as the service's user.")
        }
        socket.setTimeout(seconds: 30)
        try socket.send(request)
        return try socket.receive()
    }
}
