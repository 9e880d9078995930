import HTTPTypes

// Of swift-http-types are the header fields, their names, and the statuses. Its requests and responses know no body, client
// or route, and its methods are open: a server that knows seven has a closed type for them.
public typealias HTTPField = HTTPTypes.HTTPField
public typealias HTTPFields = HTTPTypes.HTTPFields

extension HTTPFields {
    /// The first value of a field. The subscript gives all of them, joined with commas.
    public func first(_ name: HTTPField.Name) -> String? { self[values: name].first }

    /// The members of a comma-separated list field, over all its occurrences, trimmed of white space.
    public func list(_ name: HTTPField.Name) -> [String] {
        self[values: name].flatMap { $0.split(separator: ",") }
            .map { $0.trimmingBlanks }
            .filter { !$0.isEmpty }
    }
}

extension HTTPField.Name {
    /// The library has requests with an authority instead.
    public static let hostField = Self(literal: "Host")
    public static let lastEventID = Self(literal: "Last-Event-ID")
    static let referrerPolicy = Self(literal: "Referrer-Policy")
    public static let secFetchSite = Self(literal: "Sec-Fetch-Site")
    static let xAccelBuffering = Self(literal: "X-Accel-Buffering")
    public static let xForwardedFor = Self(literal: "X-Forwarded-For")
    public static let xForwardedPrefix = Self(literal: "X-Forwarded-Prefix")
    static let xFrameOptions = Self(literal: "X-Frame-Options")
    public static let xRequestID = Self(literal: "X-Request-Id")

    /// A name that stands in the source, and is a token therefore.
    public init(literal: StaticString) {
        guard let name = Self(literal.description) else { preconditionFailure("\(literal) is no token") }
        self = name
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends (the optional white space of RFC 9110, section 5.6.3).
    var trimmingBlanks: String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var rest = self[...]
        while let first = rest.first, blank(first) { rest.removeFirst() }
        while let last = rest.last, blank(last) { rest.removeLast() }
        return String(rest)
    }
}
