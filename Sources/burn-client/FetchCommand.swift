import ArgumentParser
import Commands
import Foundation
import FoundationNetworking

/// One GET for `burnd doctor`: prints the status in a line of its own, then the body.
struct FetchCommand: ClientWork {
    static let configuration = CommandConfiguration(commandName: "fetch", shouldDisplay: false)

    @Argument var url: String

    func perform() async throws {
        guard let url = URL(string: url) else { throw ValidationError("This is no URL: \(url)") }
        var request = URLRequest(url: url)
        request.timeoutInterval = 5
        let (body, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw ExitCode.failure }
        FileHandle.standardOutput.offer(Data("\(response.statusCode)\n".utf8) + body)
    }
}
