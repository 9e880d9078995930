import HTTPServer
import JobStore

/// Who a request is from, as far as it is known.
struct Principal: Sendable, Hashable {
    /// Nil where no keys are in use: everybody who can connect may do everything.
    var key: KeyRecord?

    var access: AccessLevel {
        switch key?.scope {
        case .read: .read
        case .submit: .submit
        case .admin, nil: .admin
        }
    }
}

extension HTTPRequestHead {
    /// The id of the API key that the request came with.
    var owner: String? { (principal as? Principal)?.key?.id }
}
