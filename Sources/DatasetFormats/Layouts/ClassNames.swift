import Findings
import PackedDataset
import Support

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

    /// An object from folder to name, such as `{"n02123045": "cat"}`; empty for anything else.
    static func aliases(_ bytes: [UInt8]) -> [String: String] {
        // That it is something else is no loss: it is ignored then, and named.
        guard case .object(let members)? = try? StrictJSON.parse(bytes, limits: JSONLimits(maximumDepth: 4))
        else {
            return [:]
        }
        let names = members.compactMap { member -> (String, String)? in
            guard case .string(let name) = member.value, !name.isEmpty else { return nil }
            return (member.name, name)
        }
        return names.count == members.count ? Dictionary(names) { first, _ in first } : [:]
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
