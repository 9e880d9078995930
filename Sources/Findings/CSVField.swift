/// Text of others in a cell of CSV (RFC 4180).
///
/// Spreadsheets run a cell that begins with `=`, `+`, `-`, `@`, a tab or a return as a formula: it gets an apostrophe before
/// it, as they take for text. Numbers are written as they are, never through this. Whoever reads names back takes one
/// apostrophe away where one of these characters follows; what belongs together is told by `index`.
public enum CSVField {
    /// Empty where it is not known.
    public static func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }

    public static func number(_ value: Int?) -> String { value.map(String.init) ?? "" }

    public static func text(_ text: String) -> String {
        // By scalars: a quote with a combining mark, or a line feed after a return, is one character.
        let scalars = text.unicodeScalars
        let isFormula = scalars.first.map { "=+-@\t\r".unicodeScalars.contains($0) } ?? false
        let mark = isFormula ? "'" : ""
        guard scalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return mark + text }
        return "\"" + mark + scalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
    }
}
