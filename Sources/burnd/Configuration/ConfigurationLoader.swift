import Foundation
import Support
import Yams

/// Puts the configuration together: defaults, then the file, then `BURND_…` variables, then flags.
enum ConfigurationLoader {
    static let environmentPrefix = "BURND_"

    /// - Parameters:
    ///   - flags: Setting keys and their text, from the command line.
    /// - Throws: `Problem` with code `configuration-unreadable` or `configuration-invalid`, which names
    ///   the line, variable or flag.
    static func load(
        file: String?, environment: [String: String], flags: [(key: String, text: String)] = []
    ) throws -> Configuration {
        var configuration = Configuration()
        if let file { try apply(file: file, to: &configuration) }
        for (name, text) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix(environmentPrefix) {
            guard let setting = Setting.all.first(where: { $0.environmentName == name }) else {
                throw invalid(
                    "The environment variable \(name) stands for no setting.", at: name,
                    known: Setting.all.map(\.environmentName))
            }
            try apply(setting, text, at: name, to: &configuration)
        }
        for (key, text) in flags {
            guard let setting = Setting.all.first(where: { $0.key == key }) else { continue }
            try apply(setting, text, at: "--\(key)", to: &configuration)
        }
        return configuration
    }

    private static func apply(file: String, to configuration: inout Configuration) throws {
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw Problem(
                .notFound, code: "configuration-unreadable", title: "The configuration can't be read",
                detail: "\(file): \(error.localizedDescription)", location: file,
                fix: "Name a file that you may read; `burnd settings` prints one.")
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Problem(
                .malformed, code: "configuration-invalid", title: "The configuration is not valid",
                detail: "\(file) is neither YAML nor JSON: \(error)", location: file,
                fix: "Correct the line; `burnd settings` prints a file with every setting.")
        }
        guard let root, root != Node("") else { return }
        try apply(root, under: "", file: file, to: &configuration)
    }

    /// Walks a mapping; nested keys are joined with dots.
    private static func apply(
        _ node: Node, under prefix: String, file: String, to configuration: inout Configuration
    ) throws {
        guard case .mapping(let mapping) = node else {
            throw invalid(
                "\(prefix.isEmpty ? "The file" : prefix) should hold \"key: value\" lines.",
                at: place(file, node), known: [])
        }
        for (keyNode, value) in mapping {
            let name = keyNode.scalar?.string ?? ""
            let key = prefix.isEmpty ? name : "\(prefix).\(name)"
            let location = place(file, keyNode)
            if let setting = Setting.all.first(where: { $0.key == key }) {
                let entries = setting.isList ? value.sequence?.map { $0.scalar?.string } : nil
                guard let text = value.scalar?.string ?? entries?.compactMap({ $0 }).joined(separator: ","),
                    entries?.allSatisfy({ $0 != nil }) ?? true
                else {
                    throw invalid(
                        "\(key) takes \(setting.expected), not a list or a mapping.", at: location, known: [])
                }
                try apply(setting, text, at: location, to: &configuration)
            } else if Setting.all.contains(where: { $0.key.hasPrefix(key + ".") }) {
                try apply(value, under: key, file: file, to: &configuration)
            } else {
                throw invalid("\"\(key)\" is no setting.", at: location, known: Setting.all.map(\.key))
            }
        }
    }

    private static func apply(
        _ setting: Setting, _ text: String, at location: String, to configuration: inout Configuration
    ) throws {
        do {
            try setting.apply(&configuration, text)
        } catch let refused as Setting.Refused {
            throw invalid(
                "\(setting.key) takes \(setting.expected), not \"\(text)\"."
                    + (refused.reason.map { " " + $0 } ?? ""), at: location, known: [])
        } catch var problem as Problem {
            problem.location = location
            throw problem
        }
    }

    private static func place(_ file: String, _ node: Node) -> String {
        node.mark.map { "\(file):\($0.line)" } ?? file
    }

    private static func invalid(_ detail: String, at location: String, known: [String]) -> Problem {
        Problem(
            .malformed, code: "configuration-invalid", title: "The configuration is not valid",
            detail: detail, location: location,
            fix: known.isEmpty
                ? "Correct it; `burnd settings` says what each setting takes."
                : "Known are: " + known.joined(separator: ", ") + ".")
    }
}
