import Findings
import Foundation
import HTTPServer
import JobStore
import Support

/// RFC 3339 in UTC with milliseconds, such as `2026-11-23T21:04:11.120Z`.
enum Timestamp {
    static func text(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}

enum JSON {
    static func data(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value).plainJSON
    }

    static func response(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> HTTPResponse {
        .json(try data(value), status: status, headers: headers)
    }
}

/// A `Problem` inside another document, with the members that a problem response has.
public struct ProblemResource: Encodable {
    var type, title: String
    var status: Int
    var code, detail: String
    var location, fix: String?

    public init(_ problem: Problem) {
        type = "urn:burn:problem:\(problem.code)"
        title = problem.title
        status = problem.category.status.code
        code = problem.code
        detail = problem.detail
        location = problem.location
        fix = problem.fix
    }
}

/// A page of a listing. `next_cursor` is null on the last page.
struct PageResource<Item: Encodable>: Encodable {
    var items: [Item]
    var nextCursor: String?

    enum CodingKeys: String, CodingKey {
        case items
        case nextCursor = "next_cursor"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(items, forKey: .items)
        try container.encode(nextCursor, forKey: .nextCursor)
    }
}

extension Page {
    func resource<Other: Encodable>(_ transform: (Item) -> Other) -> PageResource<Other> {
        PageResource(items: items.map(transform), nextCursor: nextCursor)
    }
}
