import CHTTPServer
import Glibc
import Testing

@testable import HTTPServer

/// Header fields between the shim and the handlers.
@Suite struct FieldTests {
    private func incoming(_ fields: [burn_http_field], method: String = "GET") -> IncomingHead {
        fields.withUnsafeBufferPointer { fields in
            method.withCString { method in
                "/".withCString { target in
                    IncomingHead(
                        burn_http_head(
                            framing: BURN_HTTP_FRAMING_OK, method: method, target: target,
                            fields: fields.baseAddress, field_count: fields.count, has_length: false,
                            length: 0, remote_address: target))
                }
            }
        }
    }

    @Test func fieldsComeInOrderAsTheyWereSent() throws {
        let sent: [(name: String, value: [UInt8])] = [
            ("HOST", Array("a".utf8)), ("x-b", []), ("Accept", Array(" text/csv ,\t,b".utf8)),
            ("X-B", [0x61, 0xE9, 0x09, 0x62]), ("accept", Array("c\t".utf8)), ("X-B", Array("é".utf8)),
        ]
        let texts = sent.map { (strdup($0.name), strdup(($0.value + [0]).map(CChar.init(bitPattern:)))) }
        defer {
            for text in texts {
                free(text.0)
                free(text.1)
            }
        }
        let head = try incoming(texts.map { burn_http_field(name: $0.0, value: $0.1) }).parsed().get()
        #expect(head.headers.map(\.name.rawName) == ["HOST", "x-b", "Accept", "X-B", "accept", "X-B"])
        #expect(head.headers.map(\.value) == ["a", "", "text/csv ,\t,b", "a\u{FFFD}\tb", "c", "é"])
        #expect(head.headers.first(.accept) == "text/csv ,\t,b")
        #expect(head.headers.list(.accept) == ["text/csv", "b", "c"])
        #expect(head.headers[values: HTTPField.Name(literal: "x-b")] == ["", "a\u{FFFD}\tb", "é"])
        #expect(head.headers.first(.origin) == nil && head.headers.list(.origin).isEmpty)
    }

    /// More than the type of the fields takes. The others are refused for their method.
    @Test(arguments: [(65_534, 405), (65_535, 431), (100_000, 431)])
    func tooManyFieldsAreRefused(count: Int, status: Int) {
        "a".withCString { text in
            let fields = Array(repeating: burn_http_field(name: text, value: text), count: count)
            guard case .failure(let refusal) = incoming(fields, method: "NONE").parsed() else {
                Issue.record("not refused")
                return
            }
            #expect(refusal.response.status.code == status)
        }
    }
}
