import ArgumentParser
import Graph

/// Prints the operators that a model may use, as a table for docs/compatibility.md.
struct OperatorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operators", abstract: "Print the operator allowlist as a Markdown table.")

    func run() throws {
        print("| operator | arguments | training switch |")
        print("|---|---|---|")
        for rule in OperatorCatalog.all {
            let name = rule.overload.isEmpty ? rule.name : rule.name + "." + rule.overload
            let arguments = rule.argumentChecks.map { "`\($0.name)`: \($0.check)" }.joined(separator: "; ")
            print("| `\(name)` | \(arguments) | \(rule.trainingSwitch.map { "`\($0)`" } ?? "") |")
        }
    }
}
