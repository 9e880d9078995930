import Support

/// The path below which a proxy serves the service, such as `/burn`. Empty where it serves it at the host's top.
///
/// Its characters stand for themselves in addresses, headers and HTML.
public struct BasePath: Sendable, Hashable, CustomStringConvertible {
    /// Empty, or segments with a slash before each: no slash ends it.
    public let description: String
    let segments: [String]

    public static let top = BasePath(segments: [])

    /// The base of the request that the task answers.
    @TaskLocal public static var current = BasePath.top

    private init(segments: [String]) {
        self.segments = segments
        description = segments.map { "/" + $0 }.joined()
    }

    /// - Parameter text: `/burn`, `/tools/burn/`; `/` and nothing are the top.
    /// - Returns: nil for any other text.
    public init?(_ text: String) {
        let path = text.hasSuffix("/") ? text.dropLast() : text[...]
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard text.utf8.count <= 255, parts.first?.isEmpty == true, parts.count <= 9 else {
            guard text.isEmpty else { return nil }
            self = .top
            return
        }
        guard parts.dropFirst().allSatisfy(Self.isSegment) else { return nil }
        self.init(segments: Array(parts.dropFirst()))
    }

    private static func isSegment(_ text: String) -> Bool {
        guard !text.isEmpty, text != ".", text != ".." else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
            default: false
            }
        }
    }

    /// The address, as clients have to ask for it, of a path of the service itself. Whatever leads clients to another
    /// resource goes through here: Location, Link and `links`.
    public static func link(_ path: String) -> String { current.description + path }

    /// A path without the base, where it lies below it.
    public func dropped(from path: String) -> String {
        path.hasPrefix(description + "/") ? String(path.dropFirst(description.utf8.count)) : path
    }
}

/// Where the service stands for those who reach it, and who may say so.
public struct Mount: Sendable {
    public var base: BasePath
    private let proxies: Set<String>

    /// - Parameters:
    ///   - base: what holds for requests whose proxy says nothing.
    ///   - proxies: numeric addresses whose X-Forwarded-Prefix is believed.
    public init(base: BasePath = .top, proxies: [String] = []) {
        self.base = base
        self.proxies = Set(proxies)
    }

    /// Finds the request's base, and takes it off its segments where the proxy left it there. Both forms lead to the
    /// same resource: no base begins like a path of the service.
    /// - Parameter names: the first segments of the service's own paths.
    /// - Throws: `Problem` `forwarded-prefix-invalid`.
    func enter(_ head: inout HTTPRequestHead, names: Set<String>) throws {
        head.base = try proxies.contains(head.remoteAddress) ? forwarded(head, names) ?? base : base
        let segments = head.base.segments
        guard !segments.isEmpty else { return }
        if head.segments.starts(with: segments) {
            head.segments.removeFirst(segments.count)
        } else {
            head.path = head.base.description + head.path
        }
    }

    private func forwarded(_ head: HTTPRequestHead, _ names: Set<String>) throws -> BasePath? {
        let given = head.headers[values: .xForwardedPrefix]
        guard let text = given.first else { return nil }
        guard given.count == 1, let base = BasePath(text), !base.collides(with: names) else {
            throw Problem(
                .malformed, code: "forwarded-prefix-invalid", title: "The proxy's prefix is not valid",
                detail:
                    "“\(given.joined(separator: ", ").prefix(200))” is not one path such as /burn, of letters, "
                    + "digits, “-”, “.”, “_” and “~”, that begins unlike the service's own.",
                location: "X-Forwarded-Prefix",
                fix:
                    "Have the proxy set the field itself, in nginx: proxy_set_header X-Forwarded-Prefix /burn;"
            )
        }
        return base
    }
}

extension BasePath {
    /// Whether a path below the base could be one of the service's own.
    public func collides(with names: Set<String>) -> Bool {
        segments.first.map(names.contains) ?? false
    }
}
