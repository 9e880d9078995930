import Containers
import Support

// bounded in this file: positions inside the message at hand; lengths are compared with what is left of it.

/// Walks the protocol buffer of an ONNX file without reading its weights: what a tensor of more than a few
/// kilobytes holds stays in the file, and its place is noted. All else that is needed is copied out, with
/// the same nesting, for swift-protobuf to decode. So memory is bounded by the size of the graph's description.
///
/// Wire format: https://protobuf.dev/programming-guides/encoding/
struct WireScanner {
    /// Which tensor of the model.
    enum Place: Hashable {
        case initializer(Int)
        case attribute(node: Int, attribute: Int)
    }

    /// A tensor's elements in the file.
    struct Payload: Hashable {
        enum Field: Hashable { case raw, floats, doubles }

        var field: Field
        var offset: Int
        var count: Int
    }

    /// The model without its large tensors' elements.
    private(set) var skeleton: [UInt8] = []
    private(set) var payloads: [Place: Payload] = [:]
    /// The model's free texts by their key, as far as they are no larger than `mostMetadata` together.
    private(set) var metadata: [String: String] = [:]
    private var metadataBytes = 0
    private static let mostMetadata = 8 << 20

    private enum Message { case model, graph, node, attribute, initializer, attributeTensor, leaf }

    private let file: RandomAccessFile
    private let limit: Int
    private var window: [UInt8] = []
    private var windowStart = 0
    private var copied = 0
    /// What the decoded model takes, in bytes.
    private var memory = 0
    private var graphs = 0
    private var nodes = -1
    private var attributes = -1
    private var initializers = -1

    /// Bytes that each field, or message, takes once it is decoded, beside its own.
    private static let fieldMemory = 24
    private static let messageMemory = 320
    /// The description may take so many times its limit in memory.
    private static let memoryFactor = 4

    /// Elements of at most so many bytes are copied.
    private static let smallTensor = 8_192

    /// - Parameters:
    ///   - range: where the model lies in the file.
    ///   - limit: bytes of the description without large tensors.
    /// - Throws: `Problem` (`onnx-damaged`, `onnx-too-large`).
    init(_ file: RandomAccessFile, range: Range<Int>, limit: Int) throws {
        self.file = file
        self.limit = limit
        skeleton = try message(.model, range)
    }

    /// The fields that matter, by message; others are skipped.
    private static func kept(_ message: Message, _ field: Int) -> Bool {
        switch message {
        case .model: [1, 2, 3, 7, 8, 25].contains(field)
        case .graph: [1, 5, 11, 12, 15].contains(field)
        case .node: [1, 2, 3, 4, 5, 7].contains(field)
        case .attribute: [1, 2, 3, 4, 5, 7, 8, 20, 21].contains(field)
        case .initializer, .attributeTensor: [1, 2, 4, 5, 7, 8, 9, 10, 13, 14].contains(field)
        case .leaf: true
        }
    }

    /// The fields of a message in ONNX (onnx/onnx.proto). What another one holds would be given back unseen.
    private static func isDefined(_ message: Message, _ field: Int) -> Bool {
        switch message {
        case .model: (1...8).contains(field) || [14, 20, 25, 26].contains(field)
        case .graph: [1, 2, 5].contains(field) || (10...16).contains(field)
        case .node: (1...10).contains(field)
        case .attribute: (1...11).contains(field) || (13...15).contains(field) || (20...23).contains(field)
        case .initializer, .attributeTensor: (1...14).contains(field) || field == 16
        case .leaf: true
        }
    }

    /// Graphs and tensors where none is read: their files, domains and operators would not be looked at.
    private static func refused(_ message: Message, _ field: Int) -> String? {
        switch (message, field) {
        case (.model, 20): "information on training"
        case (.model, 25): "functions of its own"
        case (.attribute, 6), (.attribute, 11): "a graph inside a node"
        case (.attribute, 10): "a list of tensors inside a node"
        case (.attribute, 22), (.attribute, 23): "a sparse tensor inside a node"
        default: nil
        }
    }

    private static func requireKnown(_ message: Message, _ field: Int, at offset: Int) throws {
        guard isDefined(message, field) else { throw damaged("field \(field) is none of ONNX", offset) }
        if let what = refused(message, field) {
            throw ONNXFault.functions.problem("It holds \(what).", at: "byte \(offset)")
        }
    }

    private static func child(_ message: Message, _ field: Int) -> Message {
        switch (message, field) {
        case (.model, 7): .graph
        case (.graph, 1): .node
        case (.graph, 5): .initializer
        case (.node, 5): .attribute
        case (.attribute, 5): .attributeTensor
        default: .leaf
        }
    }

    private mutating func message(_ message: Message, _ range: Range<Int>) throws -> [UInt8] {
        var out: [UInt8] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let start = position
            let tag = try varint(&position, range.upperBound)
            let field = Int(truncatingIfNeeded: tag >> 3)
            guard tag >> 3 >= 1, tag >> 3 < 1 << 29 else {
                throw Self.damaged("a field number is out of range", start)
            }
            try Self.requireKnown(message, field, at: start)
            switch tag & 7 {
            case 0: _ = try varint(&position, range.upperBound)
            case 1: position += 8
            case 5: position += 4
            case 2:
                let length = try varint(&position, range.upperBound)
                guard length <= UInt64(range.upperBound - position) else {
                    throw Self.damaged("a field of \(length) bytes reaches beyond its message", start)
                }
                let body = position..<position + Int(length)
                position = body.upperBound
                if message == .model, field == Self.metadataField { try noteMetadata(body) }
                guard Self.kept(message, field) else { continue }
                if try note(message, field, body) { continue }
                let child = Self.child(message, field)
                if child != .leaf {
                    try enter(child, at: start)
                    let inner = try self.message(child, body)
                    Self.append(tag, to: &out)
                    Self.append(UInt64(inner.count), to: &out)
                    out += inner
                    continue
                }
            default: throw Self.damaged("wire type \(tag & 7) is not known", start)
            }
            guard position <= range.upperBound else {
                throw Self.damaged("a field reaches beyond its message", start)
            }
            if Self.kept(message, field) {
                try reserve(position - start, Self.growth(message, field))
                try reserve(Self.fieldMemory)
                out += try copy(start..<position)
            }
        }
        return out
    }

    /// How many bytes one byte of a field becomes: a number of one byte in a list, and empty messages in others.
    private static func growth(_ message: Message, _ field: Int) -> Int {
        switch (message, field) {
        case (.model, 8), (.model, 25), (.graph, 11), (.graph, 12), (.graph, 15): 24
        case (.initializer, 13), (.attributeTensor, 13): 24
        case (.attribute, 8), (.initializer, 1), (.attributeTensor, 1): 8
        case (.initializer, 5), (.initializer, 7), (.attributeTensor, 5), (.attributeTensor, 7): 8
        default: 1
        }
    }

    /// Few bytes can become many once they are decoded: that is counted before.
    private mutating func reserve(_ bytes: Int, _ growth: Int = 1) throws {
        guard let grown = Checked.product(bytes, growth), let sum = Checked.sum(memory, grown),
            sum / Self.memoryFactor <= limit
        else {
            throw ONNXFault.tooLarge.problem(
                "Its description, without the large weights, takes more than \(Self.memoryFactor) times "
                    + "\(limit) bytes of memory.")
        }
        memory = sum
    }

    private mutating func enter(_ message: Message, at offset: Int) throws {
        try reserve(Self.messageMemory)
        switch message {
        case .graph:
            graphs += 1
            guard graphs == 1 else { throw Self.damaged("there are two graphs", offset) }
        case .node:
            nodes += 1
            attributes = -1
        case .attribute: attributes += 1
        case .initializer: initializers += 1
        default: break
        }
    }

    private static let metadataField = 14

    /// Notes a key (field 1) and its text (field 2). One that is not laid out so is passed over: nothing depends on it.
    private mutating func noteMetadata(_ body: Range<Int>) throws {
        metadataBytes += body.count
        guard metadataBytes <= Self.mostMetadata else { return }
        var texts: [UInt64: String] = [:]
        var position = body.lowerBound
        while position < body.upperBound {
            let tag = try varint(&position, body.upperBound)
            let length = try varint(&position, body.upperBound)
            guard tag & 7 == 2, length <= UInt64(body.upperBound - position) else { return }
            let bytes = try file.bytes(at: position, count: Int(length))
            texts[tag >> 3] = String(validating: bytes, as: UTF8.self)
            position += Int(length)
        }
        if let key = texts[1], let text = texts[2] { metadata[key] = text }
    }

    /// Notes the elements of a large tensor, and whether it was one.
    private mutating func note(_ message: Message, _ field: Int, _ body: Range<Int>) throws -> Bool {
        let place: Place
        switch message {
        case .initializer: place = .initializer(initializers)
        case .attributeTensor: place = .attribute(node: nodes, attribute: attributes)
        default: return false
        }
        let kinds: [Int: Payload.Field] = [9: .raw, 4: .floats, 10: .doubles]
        guard let kind = kinds[field], body.count > Self.smallTensor || message == .initializer else {
            return false
        }
        guard
            payloads.updateValue(
                .init(field: kind, offset: body.lowerBound, count: body.count), forKey: place) == nil
        else { throw Self.damaged("a tensor has two lists of elements", body.lowerBound) }
        // A small initializer may be a size as well as a weight: it is copied, and its place known.
        return body.count > Self.smallTensor
    }

    private mutating func copy(_ range: Range<Int>) throws -> [UInt8] {
        copied += range.count
        guard copied <= limit else {
            throw ONNXFault.tooLarge.problem(
                "Its description, without the large weights, has more than \(limit) bytes.")
        }
        return try file.bytes(at: range.lowerBound, count: range.count)
    }

    private mutating func varint(_ position: inout Int, _ end: Int) throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 70, by: 7) {
            guard position < end else { throw Self.damaged("it ends within a number", position) }
            let byte = try self.byte(position)
            position += 1
            guard shift < 63 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw Self.damaged("a number is too long", position)
    }

    private mutating func byte(_ position: Int) throws -> UInt8 {
        if !(windowStart..<windowStart + window.count).contains(position) {
            window = try file.bytes(at: position, count: min(4_096, file.size - position))
            windowStart = position
        }
        return window[position - windowStart]
    }

    private static func append(_ value: UInt64, to out: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            out.append(UInt8(value & 0x7F) | 0x80)
            value >>= 7
        }
        out.append(UInt8(value))
    }

    private static func damaged(_ detail: String, _ offset: Int) -> Problem {
        ONNXFault.damaged.problem("Not a protocol buffer of ONNX: \(detail).", at: "byte \(offset)")
    }
}
