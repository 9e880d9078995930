import Support

/// Refuses bodies that are coded: their bytes would be taken for the file itself.
public struct ContentCodingStage: RequestStage {
    public let name = "content-coding"

    public init() {}

    public func admit(_ head: inout HTTPRequestHead, to route: RouteDescription) async throws {
        guard head.contentLength ?? 0 > 0 else { return }
        let codings = head.headers.list(.contentEncoding).filter { $0.lowercased() != "identity" }
        guard let coding = codings.first else { return }
        throw HTTPRefusal(
            Problem(
                .unsupportedFormat, code: "content-encoding-unsupported", title: "The body is coded",
                detail: "Content-Encoding is \(coding.prefix(40)); bodies are taken as they are.",
                location: "Content-Encoding",
                fix:
                    "Send the file itself, without Content-Encoding; compressed archives are read as they are."
            ),
            headers: [.acceptEncoding: "identity"])
    }
}
