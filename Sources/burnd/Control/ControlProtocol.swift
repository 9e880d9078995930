import API
import Foundation
import JobStore
import Support

/// What a command on the same machine asks of the running service, which alone may write its database.
/// One JSON document each way over a Unix socket in the data folder.
enum ControlRequest: Codable, Sendable {
    case createKey(KeyAdministration.Order)
    case listKeys
    case revokeKey(String)
}

enum ControlReply: Codable, Sendable {
    case created(KeyRecord, token: String)
    case keys([KeyRecord])
    case revoked(KeyRecord)
    case refused(Problem)
}

extension KeyAdministration {
    func answer(_ request: ControlRequest) async -> ControlReply {
        do {
            switch request {
            case .createKey(let order):
                let (key, token) = try await create(order)
                return .created(key, token: token)
            case .listKeys: return .keys(try await list())
            case .revokeKey(let id): return .revoked(try await revoke(id))
            }
        } catch let problem as Problem {
            return .refused(problem)
        } catch {
            return .refused(
                Problem(
                    .internal, code: "internal-error", title: "The service failed", detail: "\(error)"))
        }
    }
}
