import Findings
import Support

/// What a label may be, and what can be wrong with labels.
enum Labels {
    /// The whole number that a text is: `7`, and `7.0` as data frames write it where a column has gaps.
    static func number(_ text: some StringProtocol) -> Int? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, let number = Int(whole),
            parts.count == 1 || parts[1].allSatisfy({ $0 == "0" })
        else { return nil }
        return number
    }

    /// The whole number that a number is.
    static func number(_ value: Double) -> Int? { Int(exactly: value) }

    /// The name that a class is packed under: its number's, or the text.
    static func key(_ text: String, maximumClasses: Int, at place: @autoclosure () -> String) throws -> String
    {
        if let number = number(text) { return try key(number, maximumClasses: maximumClasses, at: place()) }
        guard Double(text) == nil else {
            throw notWhole(text, place())
        }
        guard (1...255).contains(text.utf8.count),
            text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
            throw invalid(
                "“\(shown(text))” is none: a name has 1 to 255 bytes and no control characters.", place())
        }
        return text
    }

    static func key(_ number: Int, maximumClasses: Int, at place: @autoclosure () -> String) throws -> String
    {
        guard (0..<maximumClasses).contains(number) else {
            throw invalid(outside(number, maximumClasses), place())
        }
        return ClassNames.key(number)
    }

    static let fix = "Give the image the number of its class, from 0, or the name of its class."
    static let fixOfArray = "Save one whole number for each image, from 0: labels.astype(numpy.int64)."

    static func invalid(_ detail: String, _ place: String, fix: String = fix) -> Problem {
        Problem(
            .unprocessable, code: "label-invalid", title: "A label cannot be used", detail: detail,
            location: place, fix: fix)
    }

    static func outside(_ number: Int, _ maximumClasses: Int) -> String {
        "The label \(number) is not from 0 to \(maximumClasses - 1)."
    }

    static func shown(_ text: String) -> String {
        String(text.prefix(40).map { $0.isNewline || $0.asciiValue.map { $0 < 0x20 } == true ? "?" : $0 })
    }

    static func notWhole(_ text: String, _ place: String) -> Problem {
        invalid("“\(text.prefix(40))” is a number, and no whole one.", place)
    }

    static func counts(_ images: Int, _ labels: Int, _ place: String) -> Problem {
        Problem(
            .unprocessable, code: "label-count-mismatch", title: "There is not one label per image",
            detail: "There are \(images) images and \(labels) labels.", location: place,
            fix: "Save one label for each image, in the same order.")
    }
}
