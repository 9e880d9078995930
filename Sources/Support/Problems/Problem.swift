/// What went wrong, where, and what to do about it: the one error type that reaches a user.
///
/// Every module that meets bad input throws a `Problem`. The HTTP layer renders it as
/// `application/problem+json` (RFC 9457), the command line as text; neither adds words of its own.
public struct Problem: Error, Codable, Hashable, Sendable {
    /// The class of the problem. The HTTP layer maps it to a status code; retry policy depends on it.
    public enum Category: String, Codable, Hashable, Sendable, CaseIterable {
        /// The request or file breaks its format (400).
        case malformed
        /// Not authenticated (401) and not allowed (403).
        case unauthenticated, forbidden
        case notFound
        /// Was there and is removed for good (410).
        case gone
        /// The state of the resource does not allow it (409).
        case conflict
        case lengthRequired
        case tooLarge
        /// A format that is recognised and refused, or not recognised (415).
        case unsupportedFormat
        /// Well-formed, and still not usable: a wrong shape, a forbidden operator, an empty class (422).
        case unprocessable
        case rateLimited
        case cancelled
        /// No room on disk (507).
        case insufficientStorage
        case unavailable
        /// A fault of the service or of its machine. The only category that is ever retried.
        case `internal`
    }

    public var category: Category
    /// A stable slug for programs, such as `model-operator-not-allowed`.
    public var code: String
    /// One short sentence, the same for every occurrence of `code`.
    public var title: String
    /// What is wrong in this case, with the values found and expected.
    public var detail: String
    /// Where: an archive entry, a graph node, a JSON pointer, an option's name.
    public var location: String?
    /// What the user can do: a command line, an export line, a limit to raise.
    public var fix: String?

    public init(
        _ category: Category, code: String, title: String, detail: String,
        location: String? = nil, fix: String? = nil
    ) {
        self.category = category
        self.code = code
        self.title = title
        self.detail = detail
        self.location = location
        self.fix = fix
    }
}

extension Problem: CustomStringConvertible {
    public var description: String {
        // Names of others stand in all but the title.
        var text = "\(title): \(detail.inLines(indent: "    "))"
        if let location { text += " [\(location.inOneLine)]" }
        if let fix { text += "\n  \(fix.inLines(indent: "    "))" }
        return text
    }
}
