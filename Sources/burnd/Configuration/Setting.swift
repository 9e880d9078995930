import Foundation
import Logging
import Support
import Workers

/// One key of the configuration: its name in the file, what it means, what its text may be. Its property of
/// `Configuration` has its default.
///
/// `limits.model_bytes` in the file is `BURND_LIMITS_MODEL_BYTES` in the environment.
struct Setting: Sendable {
    typealias Path<Value> = WritableKeyPath<Configuration, Value> & Sendable

    let key: String
    /// For the documented file and for flags; the first sentence stands alone.
    let help: String
    /// What its text must be.
    let expected: String
    var isList = false
    /// Stands in the documented file for one that has no default.
    var example = ""
    /// Its value as text; nil for one that is not set.
    let text: @Sendable (Configuration) -> String?
    let apply: @Sendable (inout Configuration, String) throws -> Void

    var environmentName: String { "BURND_" + key.uppercased().replacing(".", with: "_") }
    /// `limits` of `limits.model_bytes`; nil for a key of the file's top.
    var section: String? { key.split(separator: ".").dropLast().first.map(String.init) }
    /// `model_bytes` of `limits.model_bytes`.
    var name: String { key.split(separator: ".").suffix(1).joined() }

    static let all = service + slurm + network + limits + upkeep

    /// Thrown inside `apply` for text that the key does not take.
    struct Refused: Error {
        /// What is wrong with it, as a sentence; nil where what is expected says enough.
        var reason: String?
    }

    /// - Parameters:
    ///   - show: nil for no value.
    ///   - read: nil for text that is refused.
    init<Value>(
        _ key: String, _ path: Path<Value>, _ expected: String, _ help: String,
        show: @escaping @Sendable (Value) -> String? = { "\($0)" },
        read: @escaping @Sendable (String) throws -> Value?
    ) {
        self.key = key
        self.help = help.replacing("\n", with: " ")
        self.expected = expected
        text = { show($0[keyPath: path]) }
        apply = { configuration, text in
            guard let value = try read(text) else { throw Refused() }
            configuration[keyPath: path] = value
        }
    }
}

/// The kinds of settings.
extension Setting {
    static func text(_ key: String, _ path: Path<String>, _ help: String) -> Setting {
        Setting(key, path, "a text that is not empty", help) { $0.isEmpty ? nil : $0 }
    }

    static func text(_ key: String, _ path: Path<String?>, example: String, _ help: String) -> Setting {
        var setting = Setting(key, path, "a text that is not empty", help) {
            $0
        } read: {
            $0.isEmpty ? nil : $0
        }
        setting.example = example
        return setting
    }

    /// What stands in an option of another program.
    static func name(_ key: String, _ path: Path<String?>, example: String, _ help: String) -> Setting {
        var setting = Setting(key, path, "a text of printable characters without spaces or quotes", help) {
            $0
        } read: { text in
            // Nil would be no value, and not a refusal.
            guard SlurmSettings.isName(text) else { throw Refused() }
            return text
        }
        setting.example = example
        return setting
    }

    /// A size of at least a mebibyte.
    static func memory(_ key: String, _ path: Path<Int>, _ help: String) -> Setting {
        Setting(key, path, sizes + " (at least 1 MiB)", help) {
            ByteSize.text($0)
        } read: { text in
            ByteSize.parse(text).flatMap { (1 << 20...1 << 50).contains($0) ? $0 : nil }
        }
    }

    /// Entries parted by commas, or a list in the file.
    static func list(
        _ key: String, _ path: Path<[String]>, _ expected: String, _ help: String,
        isValid: @escaping @Sendable (String) throws -> Bool
    ) -> Setting {
        var setting = Setting(key, path, expected + ", parted by commas", help) {
            $0.joined(separator: ", ")
        } read: { text in
            let entries = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            return try entries.allSatisfy(isValid) ? entries : nil
        }
        setting.isList = true
        return setting
    }

    /// One of a type's names.
    static func choice<Value: RawRepresentable<String> & CaseIterable & SendableMetatype>(
        _ key: String, _ path: Path<Value>, _ help: String
    ) -> Setting {
        let names = Value.allCases.map(\.rawValue)
        let expected = names.dropLast().joined(separator: ", ") + " or " + names.suffix(1).joined()
        return Setting(key, path, expected, help) {
            $0.rawValue
        } read: {
            Value(rawValue: $0)
        }
    }

    static func count(
        _ key: String, _ path: Path<Int>, _ range: ClosedRange<Int>, _ help: String
    ) -> Setting {
        let bounds = "from \(range.lowerBound) to \(range.upperBound)"
        return Setting(key, path, "a whole number \(bounds)", "\(help) F\(bounds.dropFirst()).") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    static func count(
        _ key: String, _ path: Path<Int?>, _ range: ClosedRange<Int>, example: String, _ help: String
    ) -> Setting {
        let bounds = "from \(range.lowerBound) to \(range.upperBound)"
        var setting = Setting(key, path, "a whole number \(bounds)", "\(help) F\(bounds.dropFirst()).") {
            $0.map(String.init)
        } read: { text in
            // Nil would be no value, and not a refusal.
            guard let number = Int(text), range.contains(number) else { throw Refused() }
            return number
        }
        setting.example = example
        return setting
    }

    static func size(_ key: String, _ path: Path<Int>, _ help: String) -> Setting {
        Setting(key, path, sizes, help) {
            ByteSize.text($0)
        } read: {
            ByteSize.parse($0)
        }
    }

    static func size(_ key: String, _ path: Path<Int?>, example: String, _ help: String) -> Setting {
        var setting = Setting(key, path, sizes, help) {
            $0.map(ByteSize.text)
        } read: { text in
            ByteSize.parse(text).flatMap { $0 > 0 ? $0 : nil }
        }
        setting.example = example
        return setting
    }

    private static let sizes = "a size such as 64 MiB or 2 GiB"
}
