import Findings
import Support

extension WorkerMessage {
    /// Names that a worker read in an upload and that people will meet in logs, terminals, reports and files.
    /// - Throws: `Problem` `class-name-unusable`, `operator-name-unusable` (unprocessable).
    public func requirePlainNames() throws {
        switch self {
        case .datasetImported(let summary):
            for name in summary.classes.map(\.name) where !name.isPlain {
                throw Self.unusable("class", name, "Rename the class in the data set and upload it again.")
            }
        case .modelProbed(let summary, _):
            for name in summary.operators.keys where !name.isPlain {
                throw Self.unusable("operator", name, "Export the model again from its source.")
            }
        default: break
        }
    }

    private static func unusable(_ kind: String, _ name: String, _ fix: String) -> Problem {
        Problem(
            .unprocessable, code: "\(kind)-name-unusable",
            title: "The name of \(kind == "class" ? "a class" : "an operator") is not usable",
            detail: "“\(String(name.prefix(200)).inOneLine)” has control or invisible characters.",
            location: String(name.prefix(200)).inOneLine, fix: fix)
    }
}
