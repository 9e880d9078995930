import Support
import Testing

@testable import Findings

@Suite struct OutputNamesTests {
    private let three = ["cat": 0, "dog": 1, "eel": 2]

    @Test(arguments: [
        #"["cat", "dog", "eel"]"#, #"{"0": "cat", "1": "dog", "2": "eel"}"#,
        #"{"2": "eel", "0": "cat", "1": "dog"}"#,
        #"{"cat": 0, "dog": 1, "eel": 2}"#, #"{"eel": "2", "cat": "0", "dog": "1"}"#,
        #"{"id2label": {"0": "cat", "1": "dog", "2": "eel"}, "label2id": {"cat": 0, "dog": 1, "eel": 2}, "x": [null]}"#,
        #"{"model_type": "vit", "label2id": {"cat": "0", "dog": "1", "eel": "2"}}"#,
        #"{"id2label": {"0": "cat", "1": "dog", "2": "eel"}}"#,
        "cat\ndog\neel", "cat\r\ndog\r\neel\r\n", "\u{FEFF}cat\ndog\neel\n\n", "0 cat\n1 dog\n2 eel\n",
        "2: eel\n0: cat\n1: dog\n", "0,cat\n1,dog\n2,eel\n", "ClassId,Name\n0,cat\n1,dog\n2,eel\n",
        "name;id\ncat;0\ndog;1\neel;2", "index\tclass_name\textra\n1\tdog\t\n0\tcat\t\n2\teel\tx\n",
    ])
    func everyFormIsReadByContent(text: String) throws {
        #expect(try OutputNames(file: Array(text.utf8)).mapping == three)
    }

    @Test func numbersThatAreFoldersStayNames() throws {
        // MNIST's folders, in another order.
        #expect(try OutputNames(file: Array(#"{"0": 1, "1": 0}"#.utf8)).mapping == ["0": 1, "1": 0])
        #expect(try OutputNames(file: Array("1\n0\n2".utf8)).mapping == ["1": 0, "0": 1, "2": 2])
        // No numbering: names that begin with a number.
        #expect(
            try OutputNames(file: Array("3 series\n5 series".utf8)).mapping == ["3 series": 0, "5 series": 1])
    }

    @Test func synsetsHaveTwoNames() throws {
        let words = try OutputNames(file: Array("n01440764 tench, Tinca tinca\nn01443537 goldfish\n".utf8))
        #expect(words.mapping["n01443537"] == 1 && words.mapping["goldfish"] == 1)
        let keras =
            #"{"0": ["n01440764", "tench"], "134": ["n02012849", "crane"], "517": ["n03126707", "crane"]}"#
        let order = try OutputNames(file: Array(keras.utf8))
        #expect(order.mapping == ["n01440764": 0, "tench": 0, "n02012849": 134, "n03126707": 517])
        #expect(order.names[517] == ["n03126707", "crane"])
    }

    /// As in Hugging Face's configurations for ImageNet.
    @Test func aNameOfTwoOutputsStandsForNeither() throws {
        let text = #"{"id2label": {"0": "x", "1": "crane", "2": "crane"}, "label2id": {"x": 0, "crane": 2}}"#
        #expect(try OutputNames(file: Array(text.utf8)).mapping == ["x": 0])
    }

    @Test(arguments: [
        ("", "", "no classes"), ("[]", "", "no classes"), ("{}", "", "no classes"),
        (#"["a", 1]"#, "/1", "a whole number"), (#"["a", "a"]"#, "", "twice"),
        (#"["a", " "]"#, "/1", "no name"),
        (#"{"a": 0, "b": "one"}"#, "/b", "\"one\""), (#"{"a": 0, "b": 0}"#, "/b", "\"a\""),
        (#"{"a": 0.5}"#, "/a", "0.5"), (#"{"a": -1}"#, "/a", "-1"), (#"{"a/b": null}"#, "/a~1b", "null"),
        (#"{"0": "a", "00": "b"}"#, "/00", "\"a\""), (#"{"0": "a", "x": "b"}"#, "/0", "\"a\""),
        (#"{"id2label": {"0": "a"}, "label2id": {"a": 1}}"#, "/label2id/a", "nothing in id2label"),
        (#"{"id2label": {"0": "a", "1": "b"}, "label2id": {"a": 1}}"#, "/label2id/a", "\"b\" in id2label"),
        (#"{"id2label": ["a"]}"#, "/id2label", "no object"), ("[\"a\"", "", "byte"),
        ("a\n\nb", "line 2", "empty"), ("a\nb\na", "line 3", "twice"),
        ("id,name\n0,a\n0,b", "line 3", "\"a\""),
        ("id,name\n0,a\n1", "line 3", "1 fields"), ("id,name\nx,a", "line 2", "\"x\""),
        ("id,name\n", "", "no classes"),
    ])
    func whatIsWrongIsSaid(text: String, place: String, detail: String) {
        let fault = #expect(throws: OutputNamesFault.self) { try OutputNames(file: Array(text.utf8)) }
        #expect(fault?.place == place, "\(text): \(String(describing: fault))")
        #expect(fault?.detail.contains(detail) == true, "\(text): \(String(describing: fault))")
    }
}
