import Findings
import Foundation
import Support
import WorkerProtocol

@testable import API
@testable import HTTPServer
@testable import JobStore

/// The parts of a request after its framing, cursors, and the frames that workers send.
enum Requests {
    @Sendable static func read(_ input: Input) {
        var input = input
        let readers = [target, range, digests, upload, body, json, messages, frames, cursor, importing]
        readers[input.byte() % readers.count](input)
    }

    private static func head(_ headers: HTTPFields = [:], target: String = "/") -> HTTPRequestHead? {
        refusable { try HTTPRequestHead(method: .get, target: target, headers: headers) }
    }

    /// A header value as the framing gate lets it pass.
    private static func value(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.filter { $0 >= 0x20 && $0 != 0x7F || $0 == 9 }, as: UTF8.self)
    }

    private static func target(_ input: Input) {
        let text = String(decoding: input.bytes.filter { $0 != 0 }, as: UTF8.self)
        guard let head = head([.hostField: "t"], target: text) else { return }
        require(head.path.utf8.count <= text.utf8.count, "the path is longer than its target")
        for name in ["limit", "cursor", "flagged", "state"] {
            _ = refusable { try head.queryInt(name, 1...1000) }
            _ = refusable { try head.queryBool(name) }
        }
        _ = refusable { try head.allowQuery("limit", "cursor") }
        _ = refusable { try head.pageLimit() }
    }

    /// Range, If-Range, If-None-Match and If-Match, cut at zero bytes; the first byte chooses the file's size.
    private static func range(_ input: Input) {
        var input = input
        let sizes: [UInt64] = [0, 1, 2, 100, 1 << 20, 1 << 40, .max - 1, .max]
        let size = sizes[input.byte() % sizes.count]
        var headers: HTTPFields = [:]
        for (name, part) in zip([HTTPField.Name.range, .ifRange, .ifNoneMatch, .ifMatch], input.parts(4))
        where !part.isEmpty {
            headers[name] = value(part)
        }
        guard let head = head(headers) else { return }
        if case .part(let offset, let length) = FileReply.decide(head, size: size, etag: "abc") {
            let (end, overflow) = offset.addingReportingOverflow(length)
            require(length > 0 && !overflow && end <= size, "\(offset)+\(length) of \(size) bytes")
        }
    }

    private static func digests(_ input: Input) {
        let text = value(input.bytes)
        guard let head = head([.contentDigest: text, .reprDigest: text, .accept: text, .prefer: text])
        else { return }
        if let digest = refusable({ try head.contentDigest() }), let digest {
            require(digest.count == 64, "\(digest) is no SHA-256")
        }
        _ = refusable { try head.fileDigest() }
        _ = head.negotiated(["application/json", "text/csv", "application/x-ndjson"])
        require((0...60).contains(head.preferredWait ?? 0), "a wait of \(head.preferredWait ?? 0) s")
    }

    private static func upload(_ input: Input) {
        let text = value(input.bytes)
        let fields: HTTPFields = [
            .uploadMetadata: text, .uploadLength: text, .tusResumable: text,
        ]
        guard let head = head(fields) else { return }
        _ = refusable { try head.requireTusVersion() }
        _ = refusable { try head.uploadMetadata() }
        if let count = refusable({ try head.requiredByteCount(.uploadLength) }) {
            require(count >= 0, "a length of \(count)")
        }
    }

    /// A JSON body, read in every way that bodies are.
    private static func body(_ input: Input) {
        guard let reader = refusable({ try JSONReader(parsing: Data(input.bytes)) }) else { return }
        visit(reader, depth: 0)
    }

    private static func visit(_ reader: JSONReader, depth: Int) {
        require(depth <= 16, "nested deeper than allowed")
        _ = refusable { try reader.string() }
        _ = refusable { try reader.bool() }
        if let value = refusable({ try reader.int(-5...1 << 40) }) {
            require((-5...1 << 40).contains(value), "\(value)")
        }
        _ = refusable { try reader.uint64() }
        if let value = refusable({ try reader.double() }) {
            require(value.isFinite, "\(value) is not finite")
        }
        _ = refusable { try reader.one(of: ImportOptions.Split.self) }
        for item in refusable({ try reader.array(0...1000) }) ?? [] { visit(item, depth: depth + 1) }
        if case .object(let members) = reader.value {
            let fields = refusable { try reader.fields(members.map(\.name)) }
            for member in members {
                if let value = fields?[member.name] { visit(value, depth: depth + 1) }
            }
        }
        if let fields = refusable({ try reader.fields(["type", "model", "options"]) }) {
            _ = refusable { try fields.required("type").string() }
        }
    }

    /// What the strict reader takes, Foundation's takes too, with as many members.
    private static func json(_ input: Input) {
        let bytes = input.bytes
        guard let value = try? StrictJSON.parse(bytes) else { return }
        guard let other = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        else {
            // Numbers beyond a double's range are Foundation's limit, and nesting.
            return
        }
        switch (value, other) {
        case (.object(let members), let other as [String: Any]):
            require(members.count >= other.count, "\(members.count) members, \(other.count) by Foundation")
        case (.array(let items), let other as [Any]):
            require(items.count == other.count, "\(items.count) items, \(other.count) by Foundation")
        case (.object, _), (.array, _): finding("not what Foundation reads")
        default: break
        }
    }

    /// Frames as they are, all at once and in pieces.
    private static func frames(_ input: Input) {
        let whole = decode(WorkerMessage.self, [input.bytes])
        let size = max(1, input.bytes.count / 3)
        let pieces = stride(from: 0, to: input.bytes.count, by: size).map {
            Array(input.bytes[$0...].prefix(size))
        }
        let cut = decode(WorkerMessage.self, pieces)
        require(whole == nil || whole == cut, "a message depends on how it is cut")
        _ = decode(WorkerTask.self, [input.bytes])
    }

    /// One JSON document, framed soundly.
    private static func messages(_ input: Input) {
        let bytes = input.bytes
        let frame = withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { Array($0) } + bytes
        guard let messages = decode(WorkerMessage.self, [frame]) else { return }
        for message in messages {
            guard let again = try? Frame.encode(message) else { continue }
            require(decode(WorkerMessage.self, [Array(again)]) != nil, "\(message) is not read again")
        }
    }

    private static func decode<Message: Decodable>(_ type: Message.Type, _ pieces: [[UInt8]]) -> [Message]? {
        var decoder = Frame.Decoder<Message>()
        var messages: [Message] = []
        for piece in pieces {
            guard let new = try? decoder.append(piece) else { return nil }
            messages += new
        }
        return messages
    }

    private static func cursor(_ input: Input) {
        _ = refusable { try Cursor(input.text, of: "jobs") }
        let other = head([.lastEventID: value(input.bytes)])
        _ = other?.headers[.lastEventID]
    }

    private static func importing(_ input: Input) {
        _ = ImportRules.resize(input.text)
        _ = ImportRules.size(input.text)
    }
}
