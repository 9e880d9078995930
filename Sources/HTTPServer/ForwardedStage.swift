/// Behind a proxy, finds out who really asks: the last address in X-Forwarded-For that is no trusted proxy's.
/// Whatever a client writes there itself stands further left, and is not believed.
public struct ForwardedStage: RequestStage {
    public let name = "forwarded"
    private let proxies: Set<String>

    /// - Parameter proxies: numeric addresses whose X-Forwarded-For is believed.
    public init(proxies: [String]) {
        self.proxies = Set(proxies)
    }

    public func admit(_ head: inout HTTPRequestHead, to route: RouteDescription) async throws {
        guard proxies.contains(head.remoteAddress) else { return }
        for hop in head.headers.list(.xForwardedFor).reversed() {
            // What is no address ends the chain that can be believed.
            guard (2...45).contains(hop.utf8.count), hop.utf8.allSatisfy(Self.isAddressByte) else { break }
            head.remoteAddress = hop
            if !proxies.contains(hop) { break }
        }
        head.client = head.remoteAddress
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66, 0x2E, 0x3A: true
        default: false
        }
    }
}
