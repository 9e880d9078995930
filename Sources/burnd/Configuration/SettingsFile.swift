import ArgumentParser
import Commands

/// Every setting, what it means and its default, as a configuration file. config/burnd.yaml is this text.
enum SettingsFile {
    private static let head = """
        Configuration of `burnd serve --config FILE`; `burnd settings` prints this one. Every key is optional; the \
        values shown are the defaults. An environment variable wins over the file (limits.model_bytes is \
        BURND_LIMITS_MODEL_BYTES), a flag over both. Sizes are bytes, or have a unit: 512 KiB, 64 MiB, 2 GiB, \
        1.5 GB. JSON with the same keys works too.
        """

    static func text() -> String {
        let defaults = Configuration()
        var lines = comment(head)
        var rest = Setting.all[...]
        while let first = rest.first {
            let settings = first.section == nil ? rest.prefix(1) : rest.prefix { $0.section == first.section }
            rest = rest.dropFirst(settings.count)
            lines.append("")
            if let section = first.section {
                lines += comment(Setting.sections[section] ?? "") + block(section, settings, defaults)
            } else {
                lines += entry(first, defaults, hides: true)
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A section's lines. One without any value is a comment as a whole: YAML has no mapping without entries.
    private static func block(
        _ section: String, _ settings: ArraySlice<Setting>, _ defaults: Configuration
    ) -> [String] {
        let isOut = settings.allSatisfy { $0.text(defaults) == nil }
        let entries = settings.flatMap { entry($0, defaults, hides: !isOut) }
        let lines = ["\(section):"] + entries.map { "  " + $0 }
        return isOut ? lines.map { "# " + $0 } : lines
    }

    /// - Parameter hides: a setting without a value becomes a comment.
    private static func entry(_ setting: Setting, _ defaults: Configuration, hides: Bool) -> [String] {
        let line =
            if let text = setting.text(defaults) {
                "\(setting.name): " + (setting.isList ? "[\(text)]" : text)
            } else {
                (hides ? "# " : "") + "\(setting.name): \(setting.example)"
            }
        return comment(setting.help) + [line]
    }

    private static func comment(_ text: String) -> [String] {
        var lines: [String] = []
        var line = "#"
        for word in text.split(separator: " ") {
            if line.count + word.count > 115 {
                lines.append(line)
                line = "#"
            }
            line += " " + word
        }
        return lines + [line]
    }
}

extension Setting {
    /// What a flag says of a setting: its first sentence, and its default.
    static func flagHelp(_ key: String) -> ArgumentHelp {
        guard let setting = all.first(where: { $0.key == key }) else { return "" }
        let sentence = setting.help.firstRange(of: ". ").map { setting.help[..<$0.lowerBound] + "." }
        let initial = setting.text(Configuration()).map { " Default: \($0)." } ?? ""
        return ArgumentHelp(stringLiteral: String(sentence ?? setting.help[...]) + initial)
    }
}

struct SettingsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "Prints a configuration file with every setting and its default.")

    func run() { print(SettingsFile.text(), terminator: "") }
}
