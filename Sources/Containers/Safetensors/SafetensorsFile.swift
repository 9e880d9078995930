import Support

/// A checked safetensors file (huggingface/safetensors, README: format): the length of a JSON header, the
/// header, the bytes of the tensors.
///
/// Every byte behind the header belongs to exactly one tensor: the ranges neither overlap nor leave gaps.
public struct SafetensorsFile: Sendable {
    public struct Tensor: Hashable, Sendable {
        public var name: String
        public var type: ScalarType
        public var shape: [Int]
        /// Byte offset in the file; the elements lie there in row-major order.
        public var offset: Int
        public var byteCount: Int
    }

    /// Bytes of the header, as the format's own reader caps it.
    public static let maximumHeaderBytes = 100_000_000
    private static let maximumRank = 16

    public let file: RandomAccessFile
    /// In order of their bytes.
    public let tensors: [Tensor]
    /// The free `__metadata__`.
    public let metadata: [String: String]

    /// - Throws: `Problem` `safetensors-damaged` or `safetensors-type-unsupported`, with the place.
    public init(file: RandomAccessFile) throws {
        guard file.size >= 10 else { throw Self.damaged("The file has only \(file.size) bytes.") }
        let length = try file.bytes(at: 0, count: 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let room = file.size - 8
        guard let length = Int(exactly: length), length <= min(room, Self.maximumHeaderBytes) else {
            throw Self.damaged(
                "The header is said to have \(length) bytes; the file has \(room) behind its length, and at most "
                    + "\(Self.maximumHeaderBytes) are allowed.")
        }
        let start = 8 + length
        let header = try JSONNode(
            parsing: file.bytes(at: 8, count: length), name: "header",
            limits: JSONLimits(
                maximumDepth: 4, maximumBytes: Self.maximumHeaderBytes, maximumValues: 3_000_000),
            report: { Self.damaged($0, at: $1) })
        var tensors: [Tensor] = []
        var metadata: [String: String] = [:]
        for (name, node) in try header.members() {
            if name == "__metadata__" {
                for (key, value) in try node.members() { metadata[key] = try value.string() }
            } else {
                tensors.append(try Self.tensor(name, node, start, end: file.size))
            }
        }
        // Empty tensors lie on a border, before what begins there.
        tensors.sort { ($0.offset, $0.byteCount) < ($1.offset, $1.byteCount) }
        var position = start
        for tensor in tensors {
            guard tensor.offset == position else {
                let what =
                    tensor.offset < position ? "overlaps the tensor before it" : "leaves a gap before it"
                throw Self.damaged(
                    "“\(tensor.name.prefix(80))” begins at byte \(tensor.offset) and \(what), which ends at "
                        + "\(position).")
            }
            // Inside the file: each tensor's end was compared with it.
            // bounded: each tensor ends inside the file.
            position += tensor.byteCount
        }
        guard position == file.size else {
            throw Self.damaged("The tensors end at byte \(position), the file at \(file.size).")
        }
        self.file = file
        self.tensors = tensors
        self.metadata = metadata
    }

    private static func tensor(_ name: String, _ node: JSONNode, _ start: Int, end: Int) throws -> Tensor {
        for (key, value) in try node.members() where !["dtype", "shape", "data_offsets"].contains(key) {
            throw value.failure("A tensor has no field of this name.")
        }
        let code = try node.member("dtype").string()
        guard let type = types[code] else {
            throw Problem(
                .unsupportedFormat, code: "safetensors-type-unsupported",
                title: "A tensor's element type is not supported",
                detail: "“\(name.prefix(80))” has elements of the type “\(code.prefix(20))”.",
                location: node.place.text,
                fix: "Save it as one of \(types.keys.sorted().joined(separator: ", ")).")
        }
        let shape = try node.member("shape").items().map { try $0.int() }
        guard shape.count <= maximumRank, shape.allSatisfy({ $0 >= 0 }) else {
            throw node.failure("The shape \(shape.prefix(20)) is not possible.")
        }
        guard let elements = Checked.elements(shape), let count = Checked.product(elements, type.byteCount)
        else {
            throw node.failure("The shape \(shape) is too large.")
        }
        let offsets = try node.member("data_offsets").items().map { try $0.int() }
        guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= end - start else {
            throw node.failure(
                "data_offsets \(offsets.prefix(4)) do not lie in the \(end - start) bytes behind the header.")
        }
        guard offsets[1] - offsets[0] == count else {
            throw node.failure(
                "\(code) of the shape \(shape) takes \(count) bytes; data_offsets give \(offsets[1] - offsets[0])."
            )
        }
        return Tensor(name: name, type: type, shape: shape, offset: start + offsets[0], byteCount: count)
    }

    private static let types: [String: ScalarType] = [
        "BOOL": .bool, "U8": .uint8, "I8": .int8, "I16": .int16, "I32": .int32, "I64": .int64,
        "F16": .float16, "BF16": .bfloat16, "F32": .float32, "F64": .float64,
    ]

    private static func damaged(_ detail: String, at place: String? = nil) -> Problem {
        Problem(
            .malformed, code: "safetensors-damaged", title: "The safetensors file is damaged", detail: detail,
            location: place,
            fix: "Compare the file's size and digest with the original, or save it again with "
                + "safetensors.torch.save_file.")
    }
}
