/// A guard of an exported program, such as `L['x'].size()[1] == 3`: sizes of the inputs, numbers and comparisons.
enum GuardExpression {
    private static let words: Set<Substring> = [
        "L", "args", "kwargs", "size", "stride", "storage_offset", "dim", "and", "or", "not", "True", "False",
        "None",
        "Max", "Min", "Mod", "Eq", "Ne",
    ]

    static func isPlain(_ text: String) -> Bool {
        // Powers would keep whoever evaluates them busy for ever.
        guard (1...1_024).contains(text.utf8.count), !text.contains("**") else { return false }
        var rest = text[...]
        while let first = rest.unicodeScalars.first {
            switch first {
            case "'":
                // The name of an input.
                let quoted = rest.dropFirst().prefix { $0 != "'" }
                guard rest.dropFirst(quoted.count + 1).first == "'", EvaluatedText.isName(String(quoted))
                else {
                    return false
                }
                rest = rest.dropFirst(quoted.count + 2)
            case _ where first.isASCII && (first.properties.isAlphabetic || first == "_"):
                let word = rest.prefix { $0.utf8.count == 1 && EvaluatedText.isOfName($0.utf8.first ?? 0) }
                guard words.contains(word) else { return false }
                rest = rest.dropFirst(word.count)
            case _ where "0123456789[]().,=<>!+-*/% ".unicodeScalars.contains(first): rest = rest.dropFirst()
            default: return false
            }
        }
        return true
    }
}
