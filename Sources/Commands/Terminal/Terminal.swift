import ArgumentParser
import Foundation
import Support

/// Where commands write for people: what others wrote moves no cursor and colours nothing.
package enum Terminal {
    /// A line, or several, on standard error.
    package static func note(_ text: String) {
        FileHandle.standardError.offer(Data((text.withoutEscapes + "\n").utf8))
    }
}

/// Instead of the standard library's, in the programs that have these commands.
package func print(_ text: String) {
    FileHandle.standardOutput.offer(Data((text.withoutEscapes + "\n").utf8))
}

package func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    FileHandle.standardOutput.offer(try encoder.encode(value).plainJSON + Data("\n".utf8))
}

/// Runs a command's body; a `Problem` becomes text on standard error and the exit code.
package func reportingProblems(exitCode: Int32 = 1, _ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let problem as Problem {
        Terminal.note("burnd: \(problem)")
        throw ExitCode(exitCode)
    }
}
