/// HTML or SVG. Text is escaped where it is put in: `"<p>\(name)</p>"` is safe whatever `name` holds, since only
/// literals and other markup go in as they are.
struct Markup: ExpressibleByStringInterpolation, Sendable {
    private(set) var text: String

    init(stringLiteral value: String) { text = value }

    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    init(_ parts: [Markup], separator: Markup = "") {
        text = parts.map(\.text).joined(separator: separator.text)
    }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity * 2) }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ value: String) { text += Markup.escaped(value) }
        mutating func appendInterpolation(_ value: Int) { text += String(value) }
        mutating func appendInterpolation(_ value: Markup) { text += value.text }
        mutating func appendInterpolation(_ values: [Markup]) { for value in values { text += value.text } }
    }

    static func + (left: Markup, right: Markup) -> Markup { Markup([left, right]) }

    /// Characters that mean something in HTML become references. What is invisible or turns the direction of
    /// writing, and so could make a name look like another one, becomes visible.
    static func escaped(_ value: String) -> String {
        var text = ""
        text.reserveCapacity(value.utf8.count)
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            case "`": text += "&#96;"
            default:
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
                    .unassigned:
                    text += "⟨U+\(String(scalar.value, radix: 16, uppercase: true))⟩"
                default: text.unicodeScalars.append(scalar)
                }
            }
        }
        return text
    }
}
