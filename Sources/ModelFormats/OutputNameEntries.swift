import Support

/// What a model's file calls its outputs: metadata that exporters and people put beside the weights, as a list of names, as
/// {index: name} or {name: index}, in JSON, as a Python literal, or one name a line.
///
/// It decides nothing by itself and is written by whoever made the file, so whatever does not name each output once, within
/// bounds, is passed over.
enum OutputNameEntries {
    /// Keys of metadata that are looked at, in this order.
    static let keys = [
        "id2label", "label2id", "class_names", "classes", "names", "labels", "class_to_idx", "idx_to_class",
        "categories",
        "label_names", "config",
    ]
    static let maximumBytes = 4 << 20
    private static let maximumNameBytes = 255
    private static let limits = JSONLimits(
        maximumDepth: 16, maximumBytes: maximumBytes, maximumValues: 500_000, allowsNonFinite: true)

    /// - Returns: one name for each of `count` outputs; nil where `metadata` has none.
    static func found(in metadata: [String: String], outputs count: Int) -> [String]? {
        let values = Dictionary(metadata.map { (key($0.key), $0.value) }) { first, _ in first }
        for key in keys {
            if let text = values[key], let names = names(text, outputs: count) { return names }
        }
        return nil
    }

    /// The last part of a name like `class_names.json`, `burn.id2label` or `Config`, as `keys` write it.
    private static func key(_ name: String) -> String {
        var name = name.lowercased()[...]
        for ending in [".json", ".txt"] where name.hasSuffix(ending) { name = name.dropLast(ending.count) }
        return String(name.split(separator: ".").last ?? name).replacing("-", with: "_")
    }

    static func names(_ text: String, outputs count: Int) -> [String]? {
        guard text.utf8.count <= maximumBytes else { return nil }
        if let value = try? StrictJSON.parse(Array(text.utf8), limits: limits) {
            return checked(names(value, outputs: count, nested: true), count)
        }
        if let literal = PythonLiteral.json(text),
            let value = try? StrictJSON.parse(Array(literal.utf8), limits: limits)
        {
            return checked(names(value, outputs: count, nested: false), count)
        }
        // A literal of another kind is no list of names.
        guard let first = text.first(where: { !$0.isWhitespace }), !"[{(\"'".contains(first) else {
            return nil
        }
        let separator: Character = text.contains("\n") ? "\n" : ","
        let parts = text.split(separator: separator, omittingEmptySubsequences: true).map(trimmed)
        return checked(parts.filter { !$0.isEmpty }.map(Optional.some), count)
    }

    private static func names(_ value: JSONValue, outputs count: Int, nested: Bool) -> [String?] {
        switch value {
        case .array(let items): return items.map(text)
        case .object(let members):
            if nested {
                let inner = Dictionary(members.map { (key($0.name), $0.value) }) { first, _ in first }
                for key in keys {
                    guard let value = inner[key] else { continue }
                    let found = names(value, outputs: count, nested: false)
                    if checked(found, count) != nil { return found }
                }
            }
            guard members.count == count else { return [] }
            var names = [String?](repeating: nil, count: count)
            for (name, value) in members.map({ ($0.name, $0.value) }) {
                let (index, label): (Int?, String?) =
                    if case .int(let index) = value { (Int(index), name) } else { (Int(name), text(value)) }
                guard let index, names.indices.contains(index), names[index] == nil else { return [] }
                names[index] = label
            }
            return names
        default: return []
        }
    }

    private static func text(_ value: JSONValue) -> String? {
        if case .string(let text) = value { trimmed(text[...]) } else { nil }
    }

    private static func checked(_ names: [String?], _ count: Int) -> [String]? {
        let names = names.compactMap(\.self)
        guard names.count == count, count > 1,
            names.allSatisfy({ name in
                (1...maximumNameBytes).contains(name.utf8.count)
                    && name.unicodeScalars.allSatisfy { !controls.contains($0.properties.generalCategory) }
            })
        else { return nil }
        return names
    }

    private static let controls: Set<Unicode.GeneralCategory> = [
        .control, .format, .lineSeparator, .paragraphSeparator, .surrogate,
    ]

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

/// Python's way of writing a list or a dictionary of names, as `str()` makes it: {0: 'tench', 1: "jack-o'-lantern"}.
enum PythonLiteral {
    /// The same as JSON; nil for anything but strings, whole numbers, lists and dictionaries.
    static func json(_ text: String) -> String? {
        guard let first = text.first(where: { !$0.isWhitespace }), "[{(".contains(first) else { return nil }
        var result = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch character {
            case "'", "\"":
                guard let string = string(&rest, until: character) else { return nil }
                result += quoted(string)
            case "0"..."9":
                var digits = String(character)
                while let next = rest.first, ("0"..."9").contains(next) { digits.append(rest.removeFirst()) }
                // A key of JSON is a string.
                let isKey = rest.first { !$0.isWhitespace } == ":"
                result += isKey ? "\"\(digits)\"" : digits
            case "(": result += "["
            case ")": result += "]"
            case "[", "]", "{", "}", ":", ",": result.append(character)
            case " ", "\n", "\t", "\r": continue
            default: return nil
            }
        }
        for end in ["]", "}"] { result = result.replacing("," + end, with: end) }
        return result
    }

    private static func string(_ rest: inout Substring, until quote: Character) -> String? {
        var string = ""
        while let character = rest.popFirst() {
            if character == quote { return string }
            guard character == "\\" else {
                string.append(character)
                continue
            }
            guard let escaped = rest.popFirst(), "\\'\"".contains(escaped) else { return nil }
            string.append(escaped)
        }
        return nil
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
