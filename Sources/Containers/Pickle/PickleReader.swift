import Support

/// Reads a pickle as data (Python's pickletools describes the opcodes; protocols 0 to 5).
///
/// There is no way from here to a call: `REDUCE` is understood for the few names that PyTorch and NumPy build
/// tensors and arrays with, each of which only fills in a struct. All else is refused by name.
public struct PickleReader {
    public static func read(
        _ bytes: [UInt8], name: String, limits: PickleLimits = PickleLimits()
    ) throws -> PickleDocument {
        guard bytes.count <= limits.maximumBytes else {
            throw PickleFault.limit.problem(
                "It has \(bytes.count) bytes; at most \(limits.maximumBytes) are allowed.", name: name,
                offset: 0)
        }
        var reader = PickleReader(bytes: bytes, name: name, limits: limits)
        try reader.run()
        return reader.document
    }

    typealias Value = PickleDocument.Value

    let bytes: [UInt8]
    let name: String
    let limits: PickleLimits
    var document = PickleDocument()
    var stack: [Value] = []
    private var marks: [Int] = []
    private var memo: [Int: Value] = [:]
    private var position = 0
    /// Where the opcode at hand stands.
    private(set) var start = 0
    /// Values in containers, and bytes that were decoded.
    private var stored = 0
    private var memory = 0
    private var tallestStack = 0
    var decodedBytes = 0
    var storageTypesByKey: [String: ScalarType] = [:]
    /// Objects whose attributes are set by `BUILD`, once: dicts of the document.
    var bare: Set<Int> = []
    /// Dicts that a `BUILD` gave attributes to.
    var built: Set<Int> = []

    private init(bytes: [UInt8], name: String, limits: PickleLimits) {
        self.bytes = bytes
        self.name = name
        self.limits = limits
    }

    func fault(_ detail: String, _ fault: PickleFault = .damaged, fix: String? = nil) -> Problem {
        fault.problem(detail, name: name, offset: start, fix: fix)
    }

    // MARK: Bytes

    // bounded: the count is compared with what is left.
    private mutating func take(_ count: Int) throws -> Range<Int> {
        guard count >= 0, count <= bytes.count - position else { throw fault("It is cut short.") }
        defer { position += count }
        return position..<position + count
    }

    private mutating func unsigned(_ width: Int) throws -> UInt64 {
        bytes[try take(width)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func length(_ width: Int) throws -> Int {
        guard let length = Int(exactly: try unsigned(width)) else { throw fault("It is cut short.") }
        return length
    }

    /// The text up to the end of the line.
    private mutating func line() throws -> String {
        guard let end = bytes[position...].prefix(4_096).firstIndex(of: 0x0A) else {
            throw fault("A line does not end.")
        }
        defer { position = end + 1 }
        if end - position > 15 { try reserve(PickleMemory.text) }
        // bounded: the end was found behind the position.
        return String(decoding: bytes[position..<end], as: UTF8.self)
    }

    private mutating func text(_ length: Int) throws -> Value {
        let range = try take(length)
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw fault("A string is not in UTF-8.")
        }
        if length > 15 { try reserve(PickleMemory.text) }
        return .string(text)
    }

    // MARK: Stack

    /// Counts values that are put into containers.
    private mutating func count(_ more: Int) throws {
        guard let sum = Checked.sum(stored, more), sum <= limits.maximumValues else {
            throw fault("It holds more than \(limits.maximumValues) values.", .limit)
        }
        stored = sum
    }

    /// Counts what `times` parts of a document take.
    mutating func reserve(_ bytes: Int, times: Int = 1) throws {
        guard let product = Checked.product(bytes, times), let sum = Checked.sum(memory, product),
            sum <= limits.maximumMemory
        else { throw fault("Its values take more than \(limits.maximumMemory) bytes of memory.", .limit) }
        memory = sum
    }

    mutating func pop() throws -> Value {
        guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
            throw fault("A value is missing on its stack.")
        }
        return value
    }

    private mutating func push(_ value: Value) throws {
        guard stack.count < limits.maximumValues else {
            throw fault("Its stack has more than \(limits.maximumValues) values.", .limit)
        }
        if stack.count >= tallestStack {
            try reserve(PickleMemory.value)
            tallestStack = stack.count + 1
        }
        stack.append(value)
    }

    private mutating func popMark() throws -> [Value] {
        guard let mark = marks.popLast() else { throw fault("A mark is missing on its stack.") }
        let values = Array(stack[mark...])
        stack.removeSubrange(mark...)
        return values
    }

    mutating func sequence(_ values: [Value]) throws -> Int {
        try count(values.count)
        try count(1)
        try reserve(PickleMemory.container)
        try reserve(PickleMemory.value, times: values.count)
        document.sequences.append(values)
        return document.sequences.count - 1
    }

    mutating func dict(_ values: [Value]) throws -> Value {
        try count(1)
        try reserve(PickleMemory.container)
        document.dicts.append([])
        let id = document.dicts.count - 1
        try set(values, in: id)
        return .dict(id)
    }

    mutating func set(_ values: [Value], in id: Int) throws {
        guard values.count % 2 == 0 else { throw fault("A dict has a key without a value.") }
        try count(values.count)
        try reserve(PickleMemory.value, times: values.count)
        for index in stride(from: 0, to: values.count, by: 2) {
            document.dicts[id].append((values[index], values[index + 1]))
        }
    }

    private func top() throws -> Value {
        guard stack.count > (marks.last ?? 0), let value = stack.last else {
            throw fault("A value is missing on its stack.")
        }
        return value
    }

    private mutating func append(_ values: [Value]) throws {
        guard case .list(let id) = try top() else { throw fault("Something is appended to what is no list.") }
        try count(values.count)
        try reserve(PickleMemory.value, times: values.count)
        document.sequences[id] += values
    }

    private mutating func setItems(_ values: [Value]) throws {
        guard case .dict(let id) = try top() else { throw fault("A key is set in what is no dict.") }
        try set(values, in: id)
    }

    private mutating func memorise(_ index: Int) throws {
        guard index < limits.maximumValues else { throw fault("Its memo is too large.", .limit) }
        if memo.updateValue(try top(), forKey: index) == nil { try reserve(PickleMemory.memoEntry) }
    }

    private mutating func recall(_ index: Int) throws {
        guard let value = memo[index] else { throw fault("Entry \(index) of its memo is missing.") }
        try push(value)
    }

    // MARK: Opcodes

    private mutating func run() throws {
        var operations = 0
        while true {
            start = position
            operations += 1
            guard operations <= limits.maximumOperations else {
                throw fault("It has more than \(limits.maximumOperations) operations.", .limit)
            }
            let opcode = bytes[try take(1)][position - 1]
            if opcode == UInt8(ascii: ".") { break }
            try step(opcode)
        }
        document.root = try pop()
        try requireDistinctKeys()
    }

    /// Of two members under one key Python keeps the last, another reader the first: no pickler writes such a dict.
    private func requireDistinctKeys() throws {
        for members in document.dicts {
            var seen: Set<String> = []
            for (key, _) in members {
                guard let text = document.text(key, in: bytes) else { continue }
                guard seen.insert(text).inserted else {
                    throw fault("A dict has the key “\(text.prefix(80))” twice.", .opcode)
                }
            }
        }
    }

    private mutating func step(_ opcode: UInt8) throws {
        switch opcode {
        case 0x80:  // PROTO
            let version = try unsigned(1)
            guard version <= 5 else { throw fault("Its protocol is \(version); 0 to 5 are known.") }
        case 0x95: _ = try unsigned(8)  // FRAME
        case UInt8(ascii: "("):
            try reserve(PickleMemory.value)
            marks.append(stack.count)
        case UInt8(ascii: "0"): _ = try pop()
        case UInt8(ascii: "1"): _ = try popMark()
        case UInt8(ascii: "2"): try push(top())
        case UInt8(ascii: "N"): try push(.none)
        case 0x88: try push(.bool(true))
        case 0x89: try push(.bool(false))
        // bounded: numbers of one to four bytes fit.
        case UInt8(ascii: "J"): try push(.int(Int64(Int32(truncatingIfNeeded: unsigned(4)))))
        case UInt8(ascii: "K"): try push(.int(Int64(widened: length(1))))
        case UInt8(ascii: "M"): try push(.int(Int64(widened: length(2))))
        case 0x8A: try push(long(length(1)))
        case UInt8(ascii: "I"): try push(integerLine())
        case UInt8(ascii: "L"): try push(integerLine())
        case UInt8(ascii: "F"):
            guard let number = Double(try line()) else { throw fault("A number is damaged.") }
            try push(.double(number))
        case UInt8(ascii: "G"):
            let pattern = bytes[try take(8)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            try push(.double(Double(bitPattern: pattern)))
        case UInt8(ascii: "X"): try push(text(length(4)))
        case 0x8C: try push(text(length(1)))
        case 0x8D: try push(text(length(8)))
        case UInt8(ascii: "V"): try push(.string(line()))
        case UInt8(ascii: "S"): try push(quoted())
        // Python 2's strings are bytes.
        case UInt8(ascii: "U"), UInt8(ascii: "C"): try push(.bytes(take(length(1))))
        case UInt8(ascii: "T"), UInt8(ascii: "B"): try push(.bytes(take(length(4))))
        case 0x8E: try push(.bytes(take(length(8))))
        case UInt8(ascii: ")"): try push(.tuple(sequence([])))
        case UInt8(ascii: "]"): try push(.list(sequence([])))
        case UInt8(ascii: "}"): try push(dict([]))
        case UInt8(ascii: "t"): try push(.tuple(sequence(popMark())))
        case UInt8(ascii: "l"): try push(.list(sequence(popMark())))
        case UInt8(ascii: "d"): try push(dict(popMark()))
        case 0x85: try tuple(1)
        case 0x86: try tuple(2)
        case 0x87: try tuple(3)
        case UInt8(ascii: "a"): try append([pop()])
        case UInt8(ascii: "e"): try append(popMark())
        case UInt8(ascii: "s"):
            let value = try pop()
            try setItems([pop(), value])
        case UInt8(ascii: "u"): try setItems(popMark())
        case UInt8(ascii: "q"): try memorise(length(1))
        case UInt8(ascii: "r"): try memorise(length(4))
        case UInt8(ascii: "p"): try memorise(indexLine())
        case 0x94: try memorise(memo.count)
        case UInt8(ascii: "h"): try recall(length(1))
        case UInt8(ascii: "j"): try recall(length(4))
        case UInt8(ascii: "g"): try recall(indexLine())
        case UInt8(ascii: "c"): try push(global(line(), line()))
        case 0x93:  // STACK_GLOBAL
            guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
                throw fault("A global has no name.")
            }
            try push(global(module, name))
        case 0x8F: try push(.list(sequence([])))  // EMPTY_SET
        case 0x90: try append(popMark())  // ADDITEMS
        case 0x91: try push(.tuple(sequence(popMark())))  // FROZENSET
        case 0x81:  // NEWOBJ
            let arguments = try pop()
            try push(newObject(pop(), arguments))
        case UInt8(ascii: "Q"): try push(persistent(pop()))
        case UInt8(ascii: "R"):
            let arguments = try pop()
            try push(reduce(pop(), arguments))
        case UInt8(ascii: "b"):
            let state = try pop()
            try push(build(pop(), state))
        default:
            let known = Self.refused[opcode]
            let shown = known ?? "0x" + String(opcode, radix: 16)
            throw fault("The opcode \(shown) is not allowed.", known == nil ? .damaged : .opcode)
        }
    }

    // bounded: 1 to 3.
    private mutating func tuple(_ count: Int) throws {
        var values: [Value] = []
        for _ in 0..<count { values.append(try pop()) }
        try push(.tuple(sequence(values.reversed())))
    }

    /// A two's complement number of any length; those beyond 64 bits are refused.
    private mutating func long(_ length: Int) throws -> Value {
        let digits = bytes[try take(length)]
        // What is longer is no size of anything: it is kept, and its value is not asked for.
        guard length <= 8 else {
            guard length <= 64 else { throw fault("A whole number has more than 512 bits.", .limit) }
            return .none
        }
        let negative = (digits.last ?? 0) >= 0x80
        // bounded: at most eight bytes, shifted out of nothing that matters.
        return .int(digits.reversed().reduce(negative ? Int64(-1) : 0) { $0 << 8 | Int64($1) })
    }

    private mutating func integerLine() throws -> Value {
        var text = try line()
        if text == "01" || text == "00" { return .bool(text == "01") }
        if text.hasSuffix("L") { text.removeLast() }
        guard let number = Int64(text) else { throw fault("A number is damaged, or has more than 64 bits.") }
        return .int(number)
    }

    private mutating func indexLine() throws -> Int {
        guard let index = Int(try line()), index >= 0 else { throw fault("A number is damaged.") }
        return index
    }

    /// A quoted string of protocol 0, without escapes.
    private mutating func quoted() throws -> Value {
        let text = try line()
        guard text.count >= 2, let quote = text.first, "'\"".contains(quote), text.last == quote,
            !text.contains("\\")
        else { throw fault("A quoted string is damaged, or has escapes.") }
        return .string(String(text.dropFirst().dropLast()))
    }

    private static let refused: [UInt8: String] = [
        UInt8(ascii: "i"): "INST", UInt8(ascii: "o"): "OBJ", 0x92: "NEWOBJ_EX",
        UInt8(ascii: "P"): "PERSID", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x8B: "LONG4",
        0x96: "BYTEARRAY8", 0x97: "NEXT_BUFFER",
        0x98: "READONLY_BUFFER",
    ]
}
