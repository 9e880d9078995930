import ZipFixtures

/// ONNX models: computations of shapes on constants of usual and of empty shapes, operators on images, a sound head.
struct ONNXGenerator {
    var choices: Choices
    var graph = WireWriter()
    var integers = ["i0"]
    var scalars = ["n0", "n1", "n2"]
    var floats = ["f0"]
    var images = ["x"]
    var count = 0
    /// The kernel lies in a file beside the model.
    let isExternal: Bool

    static func model(_ input: Input) -> [UInt8] {
        var choices = Choices(input)
        return model(&choices)
    }

    static func model(_ choices: inout Choices, isExternal: Bool = false) -> [UInt8] {
        var generator = ONNXGenerator(choices: choices, isExternal: isExternal)
        defer { choices = generator.choices }
        return generator.build()
    }

    private init(choices: Choices, isExternal: Bool) {
        self.choices = choices
        self.isExternal = isExternal
    }

    private mutating func build() -> [UInt8] {
        constant("i0", [4], [1, 3, 8, 8].map { bytes(Int64($0)) })
        for name in ["n0", "n1", "n2"] { constant(name, [], [bytes(choices.number(Int64(1)))]) }
        constant("f0", [4], scales, type: 1)
        for name in 0..<choices.below(5) { makeConstant(name + 3) }
        weight("w", [4, 3, 3, 3])
        weight("c", [3])
        weight("q", [8, 8])
        weight("m", [10, 192])
        for _ in 0..<choices.below(6) { call() }
        node("Conv", ["x", "w"], ["kept"])
        node("Flatten", ["x"], ["flat"])
        node("Gemm", ["flat", "m"], ["y"]) { $0.attribute("transB", .int(1)) }
        let sizes = [choices.rarely() ? choices.number(1) : 0, 3, 8, 8].map {
            choices.rarely(16) ? choices.number($0) : $0
        }
        graph.message(11) { Self.image(&$0, sizes) }
        graph.message(12) { $0.text(1, "y") }
        var model = WireWriter()
        model.number(1, 8)
        model.message(8) { $0.number(2, choices.rarely() ? 11 : 21) }
        model.data(7, graph.bytes)
        return model.bytes
    }

    /// - Parameter sizes: of which the first is open where it is 0.
    private static func image(_ writer: inout WireWriter, _ sizes: [Int64]) {
        writer.text(1, "x")
        writer.message(2) { type in
            type.message(1) { tensor in
                tensor.number(1, 1)
                tensor.message(2) { shape in
                    for (axis, size) in sizes.enumerated() {
                        shape.message(1) {
                            if axis == 0, size == 0 { $0.text(2, "N") } else { $0.number(1, size) }
                        }
                    }
                }
            }
        }
    }

    private mutating func call() {
        let list =
            choices.rarely(3)
            ? ONNXOperator.all : choices.rarely(2) ? ONNXOperator.images : ONNXOperator.shapes
        let operation = list[(choices.below(256) << 8 | choices.below(256)) % list.count]
        let inputs = operation.inputs.map { input($0) }
        count += 1
        let results = choices.rarely(16) ? choices.below(5) : 1 + choices.below(operation.results)
        let outputs = (0..<results).map { "r\(count)_\($0)" }
        let attributes = operation.attributes.filter { _ in !choices.rarely(8) }.map {
            ($0.key, changed($0.value))
        }
        node(operation.name, inputs, outputs) { node in
            for (name, value) in attributes { node.attribute(name, value) }
        }
        if operation.inputs.contains("x") {
            images += outputs
        } else if operation.inputs.contains(where: { "fgrE".contains($0) }) {
            floats += outputs
        } else if choices.rarely(2) {
            integers += outputs
        } else {
            scalars += outputs
        }
    }

    private mutating func changed(_ value: ONNXOperator.Value) -> ONNXOperator.Value {
        switch value {
        case .int(let number): .int(choices.number(number))
        case .ints(let numbers): .ints(choices.list(numbers))
        case .real(let number): .real(choices.real(number))
        case .reals(let numbers): .reals(numbers.map { choices.real($0) })
        case .word: value
        case .tensor: .number(type: choices.one(of: [7, 1, 11, 6]), of: &choices)
        case .constant: value
        }
    }

    private mutating func node(
        _ name: String, _ inputs: [String], _ outputs: [String],
        _ attributes: (inout WireWriter) -> Void = { _ in }
    ) {
        graph.message(1) { node in
            for input in inputs { node.text(1, input) }
            for output in outputs { node.text(2, output) }
            node.text(4, name)
            attributes(&node)
        }
    }
}

extension ONNXOperator.Value {
    fileprivate static func number(type: Int64, of choices: inout Choices) -> Self {
        switch type {
        case 1: .constant(type, bytes(Float(choices.real(1)).bitPattern))
        case 11: .constant(type, bytes(choices.real(1).bitPattern))
        case 6: .constant(type, bytes(Int32(truncatingIfNeeded: choices.number(1))))
        default: .constant(type, bytes(choices.number(1)))
        }
    }
}

extension WireWriter {
    /// An attribute of a node, with its type's number.
    fileprivate mutating func attribute(_ name: String, _ value: ONNXOperator.Value) {
        message(5) { attribute in
            attribute.text(1, name)
            switch value {
            case .int(let number):
                attribute.number(3, number)
                attribute.number(20, 2)
            case .ints(let numbers):
                for number in numbers { attribute.number(8, number) }
                attribute.number(20, 7)
            case .real(let number):
                attribute.float(2, Float(number))
                attribute.number(20, 1)
            case .reals(let numbers):
                for number in numbers { attribute.float(7, Float(number)) }
                attribute.number(20, 6)
            case .word(let word):
                attribute.text(4, word)
                attribute.number(20, 3)
            case .constant(let type, let content):
                attribute.message(5) { tensor in
                    tensor.number(1, 1)
                    tensor.number(2, type)
                    tensor.data(9, content)
                }
                attribute.number(20, 4)
            case .tensor: break
            }
        }
    }
}
