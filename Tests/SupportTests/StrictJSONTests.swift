import Foundation
import Testing

@testable import Support

@Suite struct StrictJSONTests {
    private func parse(_ text: String, _ limits: JSONLimits = JSONLimits()) throws -> JSONValue {
        try StrictJSON.parse(Array(text.utf8), limits: limits)
    }

    @Test func readsEveryKindOfValue() throws {
        let value = try parse(#" {"a": [1, -2.5e1, true, null], "b": "é\n\ud83d\ude00", "c": {}} "#)
        #expect(value["a"] == .array([.int(1), .double(-25), .bool(true), .null]))
        #expect(value["b"] == .string("é\n😀"))
        #expect(value["c"] == .object([]))
        #expect(value["d"] == nil)
    }

    @Test(arguments: ["[],", "{},", "0,", "[[]],"])
    func boundsTheMemoryOfValues(_ item: String) {
        let text = "[" + String(repeating: item, count: 50_000) + "0]"
        let fault = #expect(throws: JSONFault.self) { try parse(text, JSONLimits(maximumMemory: 1 << 20)) }
        #expect(fault?.reason == .overLimit)
    }

    @Test func keepsWholeNumbersWhole() throws {
        #expect(try parse("-9223372036854775808") == .int(.min))
        #expect(try parse("18446744073709551615") == .unsigned(.max))
        #expect(try parse("18446744073709551616") == .double(18_446_744_073_709_551_616))
    }

    @Test(arguments: [
        ("", 0), ("{", 1), ("[1,]", 3), ("[1 2]", 3), ("01", 2), ("1.", 2), ("-", 1), ("nul", 0), ("[1]x", 3),
        (#"{"a":1,"a":2}"#, 11), (#"{"a" 1}"#, 5), (#""\x""#, 3), (#""\ud800""#, 7), ("\"\u{1}\"", 1),
        ("NaN", 0), ("-Infinity", 1), ("1e999", 5), ("'a'", 0), ("{a:1}", 1), ("\"abc", 4),
    ])
    func refusesWhatIsNoJSON(text: String, offset: Int) {
        let fault = #expect(throws: JSONFault.self) { try parse(text) }
        #expect(fault?.reason == .malformed)
        #expect(fault?.offset == offset, "\(text): \(fault?.description ?? "")")
    }

    @Test func refusesTextThatIsNotUTF8() {
        #expect(throws: JSONFault.self) { try StrictJSON.parse([0x22, 0xFF, 0x22]) }
    }

    @Test func findsTheSameNameAmongManyMembers() {
        let members = (0..<40).map { "\"m\($0)\": \($0)" } + ["\"m20\": 0"]
        #expect(throws: JSONFault.self) { try parse("{" + members.joined(separator: ",") + "}") }
    }

    @Test func keepsItsBounds() throws {
        let nested = String(repeating: "[", count: 100_000)
        func overLimit(_ text: String, _ limits: JSONLimits) -> Bool {
            do {
                _ = try StrictJSON.parse(Array(text.utf8), limits: limits)
                return false
            } catch { return error.reason == .overLimit }
        }
        #expect(overLimit(nested, JSONLimits()))
        #expect(overLimit("[[1]]", JSONLimits(maximumDepth: 2)))
        #expect(!overLimit("[[1]]", JSONLimits(maximumDepth: 3)))
        #expect(overLimit("[1,2]", JSONLimits(maximumValues: 2)))
        #expect(overLimit("[1,2]", JSONLimits(maximumBytes: 4)))
    }

    @Test func takesPythonsNumbersWhereToldTo() throws {
        let limits = JSONLimits(allowsNonFinite: true)
        #expect(
            try parse("[Infinity, -Infinity]", limits) == .array([.double(.infinity), .double(-.infinity)]))
    }

    /// Foundation is the reference for what is written; every cut of a document is refused.
    @Test func agreesWithFoundationAndRefusesEveryCut() throws {
        let text = #"{"list": [1, 2.5, "a\"b", {"x": null}], "flag": false, "u": "\u00e9"}"#
        let ours = try JSONEncoder().encode(parse(text))
        let theirs = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary
        #expect(try JSONSerialization.jsonObject(with: ours) as? NSDictionary == theirs)
        let bytes = Array(text.utf8)
        for length in 0..<bytes.count {
            #expect(throws: JSONFault.self) { try StrictJSON.parse(Array(bytes[..<length])) }
        }
    }

    @Test func aNodeNamesItsPlace() throws {
        struct Refusal: Error, Equatable { var detail, place: String }
        let node = try JSONNode(
            parsing: Array(#"{"a": [{"b": 1}]}"#.utf8), name: "file.json",
            report: { Refusal(detail: $0, place: $1) })
        #expect(try node.member("a").items()[0].member("b").int() == 1)
        #expect(throws: Refusal(detail: "A string is expected.", place: "file.json#/a/0/b")) {
            try node.member("a").items()[0].member("b").string()
        }
        #expect(throws: Refusal(detail: "The member “c” is missing.", place: "file.json#")) {
            try node.member("c")
        }
    }
}
