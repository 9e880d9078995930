import Foundation
import Support
import Testing

@Suite struct PlainTextTests {
    private static let disruptive = [
        "\u{0}", "\u{7}", "\u{8}", "\t", "\n", "\r", "\u{1B}", "\u{7F}", "\u{85}", "\u{9B}", "\u{9D}",
        "\u{AD}",
        "\u{61C}", "\u{115F}", "\u{3164}", "\u{FFA0}", "\u{2800}", "\u{FE0F}", "\u{200B}", "\u{200E}",
        "\u{200F}", "\u{2028}", "\u{2029}", "\u{202A}", "\u{202E}",
        "\u{2066}",
        "\u{2069}", "\u{FEFF}", "\u{E0041}",
    ]

    @Test(arguments: disruptive)
    func disruptiveCharactersAreShownAsEscapes(character: String) {
        let text = "a" + character + "b"
        #expect(!text.isPlain)
        #expect(text.inOneLine.isPlain)
        #expect(text.inOneLine.hasPrefix("a\\") && text.inOneLine.hasSuffix("b"))
        #expect(
            text.withoutEscapes.unicodeScalars.filter { $0 != "\n" && $0 != "\t" }.allSatisfy {
                !$0.isDisruptive
            })
    }

    @Test(arguments: ["", "class 1", "Straße", "犬", "می‌خواهم", "👩‍🔬", "a\\nb", "é", "e\u{301}"])
    func namesOfAllLanguagesStay(text: String) {
        #expect(text.isPlain && text.inOneLine == text)
    }

    @Test func aForgedLineIsNoLineOfOurs() {
        let problem = Problem(
            .malformed, code: "c", title: "Wrong", detail: "x\nburnd: all is well\u{9B}2K",
            location: "a\nb\u{202E}",
            fix: "do\nthis")
        let lines = problem.description.split(separator: "\n")
        #expect(
            lines == [
                "Wrong: x", "    burnd: all is well\\u{9B}2K [a\\nb\\u{202E}]", "  do", "    this",
            ])
    }

    @Test func aDocumentIsTheSameToAProgramAndHarmlessToATerminal() throws {
        let value = ["é\u{9B}2K\u{202E}", "\u{7F}\u{E0041}\u{1B}", "plain"]
        let plain = try JSONEncoder().encode(value).plainJSON
        #expect(String(decoding: plain, as: UTF8.self).isPlain)
        #expect(try JSONDecoder().decode([String].self, from: plain) == value)
        let untouched = Data("{\n  \"a\": \"é\"\n}".utf8)
        #expect(untouched.plainJSON == untouched)
    }
}
