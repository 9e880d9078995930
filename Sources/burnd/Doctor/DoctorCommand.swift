import ArgumentParser
import Commands
import Foundation
import Support

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says what this machine gives the service, and what to do where that is too little.",
        discussion: """
            Looks at the settings that `burnd serve` would use. Changes nothing. The exit code is 0 where nothing is at \
            fault, and 1 otherwise.
            """)

    /// Where the package puts the configuration.
    static let installed = "/etc/burn/burnd.yaml"

    @Option(help: "Configuration file (YAML or JSON). Default: \(installed), where there is one.")
    var config: String?

    @OptionGroup
    var flags: ServiceFlags

    @Flag(help: "Print the findings as JSON.")
    var json = false

    func run() async throws {
        let findings = await look()
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(findings), as: UTF8.self))
        } else {
            for finding in findings { print(Self.lines(finding)) }
        }
        if findings.contains(where: { $0.state == .fault }) { throw ExitCode.failure }
    }

    private func look() async -> [Diagnosis] {
        let file =
            config ?? (FileManager.default.isReadableFile(atPath: Self.installed) ? Self.installed : nil)
        let configuration: Configuration
        do {
            configuration = try flags.load(file)
        } catch {
            return [
                .fault(
                    "configuration", "\(error)", "Correct it; burnd settings prints one with every setting.")
            ]
        }
        return [.ok("configuration", file ?? "the defaults: no file is named")]
            + MachineChecks(configuration: configuration).all()
            + [await WorkerCheck(configuration: configuration).run()]
            + DataChecks(configuration: configuration).all()
            + (await ServiceChecks(configuration: configuration).all())
    }

    private static func lines(_ finding: Diagnosis) -> String {
        let mark =
            switch finding.state {
            case .ok: "ok"
            case .note: "note"
            case .fault: "FAULT"
            }
        let subject = finding.subject.padding(toLength: 14, withPad: " ", startingAt: 0)
        let head = "\(mark.padding(toLength: 6, withPad: " ", startingAt: 0)) \(subject) "
        let rest =
            finding.advice.map { "\n" + String(repeating: " ", count: head.count) + "-> " + $0.inOneLine }
            ?? ""
        return head + finding.finding.inOneLine + rest
    }
}
