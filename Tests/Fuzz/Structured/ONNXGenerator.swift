import ZipFixtures

/// ONNX models: computations of shapes on constants of usual and of empty shapes, operators on images, a sound head.
struct ONNXGenerator {
    private var choices: Choices
    private var graph = WireWriter()
    private var integers = ["i0"]
    private var scalars = ["n0", "n1", "n2"]
    private var floats = ["f0"]
    private var images = ["x"]
    private var count = 0

    static func model(_ input: Input) -> [UInt8] {
        var generator = ONNXGenerator(choices: Choices(input))
        return generator.build()
    }

    private init(choices: Choices) { self.choices = choices }

    private mutating func build() -> [UInt8] {
        constant("i0", type: 7, [4], [1, 3, 8, 8].map { bytes(Int64($0)) })
        for name in ["n0", "n1", "n2"] { constant(name, type: 7, [], [bytes(choices.number(Int64(1)))]) }
        constant(
            "f0", type: 1, [4], [1, 1, choices.real(2), choices.real(2)].map { bytes(Float($0).bitPattern) })
        for name in 0...choices.below(4) { makeConstant(name + 3) }
        weight("w", [4, 3, 3, 3])
        weight("c", [3])
        weight("q", [8, 8])
        weight("m", [10, 192])
        for _ in 0...choices.below(6) { call() }
        node("Flatten", ["x"], ["flat"])
        node("Gemm", ["flat", "m"], ["y"]) { $0.attribute("transB", [1]) }
        let fixed = choices.rarely()
        graph.message(11) { Self.value(&$0, "x", batch: fixed ? 1 : nil) }
        graph.message(12) { Self.value(&$0, "y", batch: nil) }
        var model = WireWriter()
        model.number(1, 8)
        model.message(8) { $0.number(2, choices.rarely() ? 11 : 21) }
        model.data(7, graph.bytes)
        return model.bytes
    }

    private static func value(_ writer: inout WireWriter, _ name: String, batch: Int64?) {
        writer.text(1, name)
        guard name == "x" else { return }
        writer.message(2) { type in
            type.message(1) { tensor in
                tensor.number(1, 1)
                tensor.message(2) { shape in
                    shape.message(1) { if let batch { $0.number(1, batch) } else { $0.text(2, "N") } }
                    for size: Int64 in [3, 8, 8] { shape.message(1) { $0.number(1, size) } }
                }
            }
        }
    }

    private mutating func constant(_ name: String, type: Int64, _ shape: [Int64], _ elements: [[UInt8]]) {
        graph.message(5) { tensor in
            for size in shape { tensor.number(1, size) }
            tensor.number(2, type)
            tensor.text(8, name)
            tensor.data(9, Array(elements.joined()))
        }
    }

    private mutating func weight(_ name: String, _ shape: [Int64]) {
        constant(name, type: 1, shape, [[UInt8](repeating: 0, count: Int(4 * shape.reduce(1, *)))])
    }

    /// Whole numbers or others, one or a list, of which there are none where the shape begins with 0.
    private mutating func makeConstant(_ number: Int) {
        let shape = choices.shape([[], [1], [2], [4], [2, 2], [3], [8]][choices.below(7)])
        // As many as the shape asks for, as far as that can be told.
        var elements = 1
        for size in shape {
            let (product, overflow) = elements.multipliedReportingOverflow(by: Int(size))
            elements = overflow ? 64 : product
        }
        elements = max(0, min(elements, 64))
        let isFloat = choices.rarely(3)
        let name = (isFloat ? "f" : shape.isEmpty ? "n" : "i") + "\(number)"
        let usual: [Int64] = [0, 1, 2, 3, -1, 8]
        constant(
            name, type: isFloat ? 1 : 7, shape,
            (0..<elements).map { _ in
                let value = choices.one(of: usual)
                return isFloat
                    ? bytes(Float(choices.real(Double(value))).bitPattern) : bytes(choices.number(value))
            })
        if isFloat {
            floats.append(name)
        } else if shape.isEmpty {
            scalars.append(name)
        } else {
            integers.append(name)
        }
    }

    private mutating func input(_ letter: Character) -> String {
        switch letter {
        case "x": return choices.one(of: images)
        case "w", "c", "q": return String(letter)
        case "i": return integers[integers.count - 1 - choices.below(integers.count)]
        case "n": return scalars[scalars.count - 1 - choices.below(scalars.count)]
        case "f": return floats[floats.count - 1 - choices.below(floats.count)]
        case "-": return ""
        default:
            let all = integers + scalars + floats + images
            return all[all.count - 1 - choices.below(all.count)]
        }
    }

    private mutating func call() {
        let list = choices.rarely(2) ? ONNXOperator.images : ONNXOperator.shapes
        let operation = choices.one(of: list)
        let inputs = operation.inputs.map { input($0) }
        count += 1
        let outputs = operation.name == "Split" ? ["r\(count)", "t\(count)", "u\(count)"] : ["r\(count)"]
        let used = operation.name == "Split" ? Array(outputs.prefix(1 + choices.below(3))) : outputs
        let isNewest = choices.rarely(2)
        var attributes: [(String, [Int64])] = []
        for (name, numbers) in operation.attributes where !choices.rarely(8) {
            attributes.append((name, numbers.map { choices.number($0) }))
        }
        node(operation.name, inputs, used) { node in
            for (name, numbers) in attributes { node.attribute(name, numbers) }
            for (name, word) in operation.words { node.attribute(name, word) }
        }
        if operation.inputs.contains("x") {
            images += used
        } else if isNewest {
            integers += used
        } else {
            scalars += used
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

extension WireWriter {
    /// Lists are those whose names are in the plural.
    fileprivate mutating func attribute(_ name: String, _ numbers: [Int64]) {
        let isList = ["axes", "pads", "strides", "dilations", "kernel_shape", "perm", "split", "value_ints"]
            .contains(name)
        message(5) { attribute in
            attribute.text(1, name)
            if isList {
                for number in numbers { attribute.number(8, number) }
            } else {
                attribute.number(3, numbers[0])
            }
            attribute.number(20, isList ? 7 : 2)
        }
    }

    fileprivate mutating func attribute(_ name: String, _ word: String) {
        message(5) { attribute in
            attribute.text(1, name)
            attribute.text(4, word)
            attribute.number(20, 3)
        }
    }
}
