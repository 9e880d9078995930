import ArgumentParser
import Findings

/// What a finished `scan` or `purify` exits with, and a client that watched one.
package enum AnalysisExit {
    package static let clean = ExitCode(0)
    package static let backdoored = ExitCode(3)
    package static let suspicious = ExitCode(4)
    package static let undetermined = ExitCode(5)

    package static func code(for result: Verdict.Result) -> ExitCode {
        switch result {
        case .clean: clean
        case .backdoored: backdoored
        case .suspicious: suspicious
        case .undetermined: undetermined
        }
    }
}
