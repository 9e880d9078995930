import Foundation
import HTTPTypes

/// An answer. The server adds Date, Content-Length, X-Request-Id and the security headers, and turns
/// the answer to a HEAD request into its header section.
public struct HTTPResponse: Sendable {
    public typealias Status = HTTPTypes.HTTPResponse.Status

    public enum Body: Sendable {
        case empty
        case data(Data)
        /// A file, sent by the kernel. GET and HEAD get Range, If-Range and conditional requests.
        case file(FileBody)
        /// Bytes made while they are sent (chunked): constant memory, back-pressure, and the producer's
        /// task is cancelled when the client goes away or the server stops.
        case stream(@Sendable (HTTPBodyWriter) async throws -> Void)
        /// Server-sent events: as `.stream`, with a comment line each 15 s while nothing else is sent.
        case events(@Sendable (ServerSentEventWriter) async throws -> Void)
    }

    public var status: Status
    public var headers: HTTPFields
    public var body: Body
    /// The error behind a 500, for the log.
    var cause: (any Error)?

    public init(status: Status, headers: HTTPFields = [:], body: Body = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Bytes with their content type.
    public static func data(
        _ data: Data, type: String, status: Status = .ok, headers: HTTPFields = [:]
    ) -> HTTPResponse {
        var headers = headers
        headers[.contentType] = type
        return HTTPResponse(status: status, headers: headers, body: .data(data))
    }

    /// UTF-8 text.
    public static func text(_ text: String, status: Status = .ok) -> HTTPResponse {
        .data(Data(text.utf8), type: "text/plain; charset=utf-8", status: status)
    }

    /// A JSON document that is already encoded. Not to be stored by caches.
    public static func json(_ data: Data, status: Status = .ok, headers: HTTPFields = [:]) -> HTTPResponse {
        .data(data, type: "application/json", status: status, headers: headers)
    }

    /// A value as JSON: keys sorted, slashes plain, dates as ISO 8601.
    public static func json(
        encoding value: some Encodable, status: Status = .ok, headers: HTTPFields = [:]
    ) throws -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return .json(try encoder.encode(value), status: status, headers: headers)
    }
}

/// A regular file to send, with what caches and ranges need to know of it.
public struct FileBody: Sendable {
    /// Opened when the response is sent, and checked to be a regular file.
    public var path: String
    /// The bare entity tag without quotes, for instance the content's SHA-256. Nil: no conditional requests.
    public var etag: String?
    public var contentType: String
    /// The file name a browser should save under (Content-Disposition).
    public var downloadName: String?

    public init(
        path: String, etag: String?, contentType: String = "application/octet-stream",
        downloadName: String? = nil
    ) {
        self.path = path
        self.etag = etag
        self.contentType = contentType
        self.downloadName = downloadName
    }
}
