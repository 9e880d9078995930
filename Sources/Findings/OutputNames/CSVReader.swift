/// Rows of comma-separated values (RFC 4180), or of values separated by another character.
public struct CSVReader {
    private var rest: Substring.UnicodeScalarView
    private let separator: Unicode.Scalar
    public private(set) var line = 0
    /// Whether a quoted field lacked its end.
    public private(set) var isCut = false

    public init(_ text: String, separator: Unicode.Scalar = ",") {
        rest = Substring(text).unicodeScalars
        self.separator = separator
        if rest.first == "\u{FEFF}" { rest.removeFirst() }
    }

    public mutating func next() -> [String]? {
        guard !rest.isEmpty else { return nil }
        line += 1
        var fields: [String] = []
        var field = String.UnicodeScalarView()
        var isQuoted = false
        while let scalar = rest.popFirst() {
            if isQuoted {
                if scalar != "\"" {
                    if scalar == "\n" { line += 1 }
                    field.append(scalar)
                } else if rest.first == "\"" {
                    rest.removeFirst()
                    field.append(scalar)
                } else {
                    isQuoted = false
                }
                continue
            }
            switch scalar {
            case "\"" where field.isEmpty: isQuoted = true
            case separator:
                fields.append(String(field))
                field = .init()
            case "\r" where rest.first == "\n": continue
            case "\n":
                fields.append(String(field))
                return fields
            default: field.append(scalar)
            }
        }
        isCut = isQuoted
        fields.append(String(field))
        return fields
    }
}

extension StringProtocol {
    public func trimmingSpace() -> String {
        var text = Substring(self)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
