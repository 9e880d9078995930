import Foundation
import Support

/// Numbers as a reader sees them, the same on every machine.
enum Numbers {
    /// Such as `4.53 %`.
    static func percent(_ value: Double?) -> String {
        value.map(precisePercent) ?? "–"
    }

    /// Three significant digits.
    static func short(_ value: Double?) -> String { value.map { String(format: "%.3g", $0) } ?? "–" }

    /// A coordinate of a figure.
    static func place(_ value: Double) -> String { String(format: "%.1f", value.isFinite ? value : 0) }

    /// Such as `12 345 678`.
    static func grouped(_ value: Int) -> String {
        let digits = Array(String(value.magnitude))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "\u{202F}" }
            text.append(digit)
        }
        return (value < 0 ? "−" : "") + text
    }

    static func bytes(_ value: Int?) -> String { value.map { grouped($0) + " bytes" } ?? "–" }
}
