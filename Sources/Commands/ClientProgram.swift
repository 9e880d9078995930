import ArgumentParser
import Foundation
import Support

/// A command that `burn-client` runs. burnd knows it as well, for its help, its manual and its completions.
package protocol ClientProgramCommand: AsyncParsableCommand {}

extension ClientProgramCommand {
    /// Becomes burn-client, with the same arguments.
    package func run() async throws { try await reportingProblems { try ClientProgram.become() } }
}

/// The program beside burnd that talks to services. A service of weeks would otherwise carry an HTTP client, with the thirty
/// libraries behind it, that it never uses.
package enum ClientProgram {
    package static let name = "burn-client"

    package static var path: String { folder + "/" + name }

    /// Where this program lies, and the others beside it.
    package static var folder: String {
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: path ?? CommandLine.arguments[0]).deletingLastPathComponent().path
    }

    /// - Throws: `Problem`; otherwise this is another program from here on.
    static func become() throws {
        let program = path
        var arguments = ([program] + CommandLine.arguments.dropFirst()).map { strdup($0) } + [nil]
        execv(program, &arguments)
        throw notStarted(String(cString: strerror(errno)))
    }

    /// What it writes, run with these arguments.
    /// - Throws: where it can't be started, or fails.
    package static func output(_ arguments: [String]) async throws -> Data {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { throw notStarted(error.localizedDescription) }
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw ExitCode.failure }
        return data
    }

    private static func notStarted(_ reason: String) -> Problem {
        Problem(
            .internal, code: "client-not-started", title: "The client's program can't be started",
            detail: "\(path): \(reason)", fix: "Install burn-client beside burnd; make build builds it.")
    }
}
