import Commands
import Foundation
import ServiceClient
import Support

extension ServiceOptions {
    /// - Throws: `Problem`, also when the service is not to be reached now: later interruptions are waited for.
    func client() async throws -> ServiceClient {
        let client = try ServiceClient.known(url)
        try await client.reach()
        return client
    }
}

extension ServiceClient {
    /// The service of the login, or of BURN_URL.
    /// - Parameter url: what comes before both.
    static func known(_ url: String?) throws -> ServiceClient {
        var environment = ProcessInfo.processInfo.environment
        if let url { environment["BURN_URL"] = url }
        let credentials = try Credentials.current(environment)
        return ServiceClient(
            address: try ServiceAddress(
                credentials.url,
                allowsPlainHTTP: credentials.allowsPlainHTTP == true || credentials.key == nil),
            key: credentials.key)
    }
}

/// Runs a command's body; what goes wrong becomes text on standard error (and with `json` a document on standard
/// output), and the exit code 1.
func answering(json: Bool, _ body: () async throws -> Void) async throws {
    try await reportingProblems {
        do { try await body() } catch let problem as Problem {
            if json { try printJSON(["error": ProblemDescription(problem)]) }
            throw problem
        }
    }
}

/// The members of a problem that a program reads.
private struct ProblemDescription: Encodable {
    var code, title, detail: String
    var location, fix: String?

    init(_ problem: Problem) {
        code = problem.code
        title = problem.title
        detail = problem.detail
        location = problem.location
        fix = problem.fix
    }
}

/// The service's own JSON, indented, its members in order of name.
func printDocument(_ data: Data) throws {
    let value = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
    let text = try JSONSerialization.data(
        withJSONObject: value,
        options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed])
    FileHandle.standardOutput.offer(text.plainJSON + Data("\n".utf8))
}
