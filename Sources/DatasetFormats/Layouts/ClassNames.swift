import ClassOrder
import PackedDataset
import Problems
import StrictJSON

/// Names for labels that are numbers, and for folders.
enum ClassNames {
    /// The name under which a numbered class is packed: four digits, so that names sort as numbers do.
    static func key(_ label: Int) -> String {
        let digits = String(label)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// The numbers of `keys`; nil where one of them is a name.
    static func numbers(_ keys: [String]) -> [Int]? {
        let numbers = keys.compactMap { text in Int(text).flatMap { key($0) == text ? $0 : nil } }
        return numbers.count == keys.count ? numbers : nil
    }

    static let maximumBytes = 4 << 20
    static let fileNames: Set<String> = [
        "classes.json", "classes.txt", "class_names.json", "class_names.txt",
    ]

    /// Reads `classes.txt` (a name a line, from label 0) or `classes.json` (a list of names, or an object from
    /// folder or label to name).
    static func read(_ bytes: [UInt8], name: String) throws -> [String: String] {
        func problem(_ detail: String) -> Problem {
            Problem(
                .malformed, code: "class-names-invalid", title: "The file of class names cannot be used",
                detail: detail, location: name,
                fix: "Write one name a line, or JSON: [\"cat\", \"dog\"] or {\"n02123045\": \"cat\"}.")
        }
        guard name.hasSuffix(".json") else {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw problem("It is not UTF-8.")
            }
            let lines = text.split(omittingEmptySubsequences: true) { $0.isNewline }
            return numbered(lines.map { $0.trimmingSpace() })
        }
        do {
            switch try StrictJSON.parse(bytes, limits: JSONLimits(maximumDepth: 4)) {
            case .array(let items):
                return numbered(
                    try items.map {
                        guard case .string(let name) = $0 else { throw problem("A class name is no string.") }
                        return name
                    })
            case .object(let members):
                var names: [String: String] = [:]
                for member in members {
                    guard case .string(let name) = member.value else {
                        throw problem("A class name is no string.")
                    }
                    names[Int(member.name).map(key) ?? member.name] = name
                    names[member.name] = name
                }
                return names
            default: throw problem("It is neither a list nor an object.")
            }
        } catch let fault as JSONFault {
            throw problem(fault.description)
        }
    }

    static func numbered(_ names: [String]) -> [String: String] {
        Dictionary(uniqueKeysWithValues: names.enumerated().map { (key($0.offset), $0.element) })
    }

    /// The names to pack `keys` (sorted) under: those of `names` where that keeps the order and all are
    /// distinct; else with the class's number in front (its label where it has one).
    static func display(_ keys: [String], _ names: [String: String]) -> [String] {
        let shown = keys.map { names[$0] ?? $0 }
        if Set(shown).count == shown.count, shown == shown.sortedByCodePoint() { return shown }
        let labels = numbers(keys) ?? Array(keys.indices)
        return zip(labels, shown).map { key($0) == $1 ? $1 : "\(key($0))_\($1)" }
    }
}
