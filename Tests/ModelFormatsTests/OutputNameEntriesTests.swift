import Testing

@testable import ModelFormats

@Suite struct ClassNamesTests {
    @Test(arguments: [
        #"["cat", "dog", "pig"]"#, #"{"0": "cat", "1": "dog", "2": "pig"}"#,
        #"{"cat": 0, "pig": 2, "dog": 1}"#,
        "{0: 'cat', 1: \"dog\", 2: 'pig'}", "['cat', 'dog', 'pig',]", "('cat', 'dog', 'pig')",
        "cat\ndog\npig\n",
        "cat, dog, pig", #"{"model_type": "vit", "id2label": {"0": "cat", "1": "dog", "2": "pig"}}"#,
        #"{"label2id": {"cat": 0, "pig": 2, "dog": 1}, "id2label": null}"#,
    ])
    func formsOfLists(text: String) {
        #expect(OutputNameEntries.names(text, outputs: 3) == ["cat", "dog", "pig"])
        #expect(OutputNameEntries.names(text, outputs: 4) == nil)
    }

    @Test(arguments: [
        "", "{", "[]", "7", #"["a", "b", 3]"#, #"["a", "b", ""]"#, #"{"0": "a", "0.": "b", "2": "c"}"#,
        #"{"0": "a", "1": "b", "3": "c"}"#, #"["a", "b", "c\u0007"]"#, #"["a", "b", "\u202ec"]"#,
        "{0: 'a', 1: __import__('os'), 2: 'c'}", "{0: 'a', 1: 'b', 2: 'c", "['a', 'b', 'c\\x07']",
        "[\"\(String(repeating: "n", count: 256))\", \"b\", \"c\"]",
    ])
    func whatIsNoListOfNamesIsPassedOver(text: String) {
        #expect(OutputNameEntries.names(text, outputs: 3) == nil)
    }

    @Test func keysAreFoundByTheirLastPart() {
        let names = #"["a", "b"]"#
        for key in ["names", "id2label.json", "Class-Names", "burn.classes", "classes.txt"] {
            #expect(
                OutputNameEntries.found(in: [key: names, "author": "x"], outputs: 2) == ["a", "b"], "\(key)")
        }
        #expect(OutputNameEntries.found(in: ["stride": names], outputs: 2) == nil)
        #expect(
            OutputNameEntries.found(in: ["names": names, "id2label": #"["c", "d"]"#], outputs: 2) == [
                "c", "d",
            ])
    }

    @Test func pythonLiteralsKeepTheirQuotes() {
        #expect(
            OutputNameEntries.names(#"{0: "jack-o'-lantern", 1: 'a "b"', 2: 'it\'s'}"#, outputs: 3)
                == ["jack-o'-lantern", "a \"b\"", "it's"])
    }
}
