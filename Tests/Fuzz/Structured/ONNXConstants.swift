import ZipFixtures

/// What nodes read: constants of usual and of hostile elements and shapes, weights, results of the nodes before.
extension ONNXGenerator {
    var scales: [[UInt8]] {
        mutating get { [1, 1, choices.real(2), choices.real(2)].map { bytes(Float($0).bitPattern) } }
    }

    /// - Parameter type: 1 float32, 6 int32, 7 int64, 9 bool, 11 float64.
    mutating func constant(_ name: String, _ shape: [Int64], _ elements: [[UInt8]], type: Int64 = 7) {
        graph.message(5) { Self.tensor(&$0, name, shape, elements, type: type) }
    }

    private static func tensor(
        _ writer: inout WireWriter, _ name: String, _ shape: [Int64], _ elements: [[UInt8]], type: Int64
    ) {
        for size in shape { writer.number(1, size) }
        writer.number(2, type)
        writer.text(8, name)
        writer.data(9, Array(elements.joined()))
    }

    mutating func weight(_ name: String, _ shape: [Int64]) {
        let content = [UInt8](repeating: 0, count: Int(4 * shape.reduce(1, *)))
        guard isExternal, name == "w" else { return constant(name, shape, [content], type: 1) }
        let places = [
            ("location", "model.onnx.data"), ("offset", "\(choices.number(0))"),
            ("length", "\(choices.number(Int64(content.count)))"),
        ]
        graph.message(5) { tensor in
            for size in shape { tensor.number(1, size) }
            tensor.number(2, 1)
            tensor.text(8, name)
            for (key, value) in places {
                tensor.message(13) {
                    $0.text(1, key)
                    $0.text(2, value)
                }
            }
            tensor.number(14, 1)
        }
    }

    /// Whole numbers or others, one or a list, of which there are none where the shape begins with 0.
    mutating func makeConstant(_ number: Int) {
        let shape = choices.shape([[], [1], [2], [4], [2, 2], [3], [8], [2, 1]][choices.below(8)])
        // As many as the shape asks for, as far as that can be told.
        var elements = 1
        for size in shape {
            let (product, overflow) = elements.multipliedReportingOverflow(by: Int(size))
            elements = overflow ? 64 : product
        }
        elements = max(0, min(elements, 64))
        let type = choices.one(of: [Int64(7), 1, 7, 1, 6, 11, 9])
        let isFloat = type == 1 || type == 11
        let name = (isFloat ? "f" : shape.isEmpty ? "n" : "i") + "\(number)"
        constant(name, shape, (0..<elements).map { _ in element(type) }, type: type)
        if isFloat {
            floats.append(name)
        } else if shape.isEmpty {
            scalars.append(name)
        } else {
            integers.append(name)
        }
    }

    private mutating func element(_ type: Int64) -> [UInt8] {
        let usual = choices.one(of: [0, 1, 2, 3, -1, 8])
        switch type {
        case 1: return bytes(Float(choices.real(Double(usual))).bitPattern)
        case 11: return bytes(choices.real(Double(usual)).bitPattern)
        case 6: return bytes(Int32(truncatingIfNeeded: choices.number(Int64(usual))))
        case 9: return [UInt8(truncatingIfNeeded: usual)]
        default: return bytes(choices.number(Int64(usual)))
        }
    }

    /// A constant of the node's own; nil where the letter is that of none.
    private mutating func own(_ letter: Character) -> String? {
        count += 1
        let name = "k\(count)"
        switch letter {
        case "v": constant(name, [1], [bytes(choices.number([1, 0, 2, -1][choices.below(4)]))])
        case "s":
            let sizes = choices.list(
                [[-1, 3, 8, 8], [0, 3, -1, 8], [1, 3, 8, 8], [0, -1]][choices.below(4)])
            constant(name, [Int64(sizes.count)], sizes.map { bytes($0) })
        case "p":
            let amounts = choices.list([0, 0, 1, 1, 0, 0, 1, 1])
            constant(name, [Int64(amounts.count)], amounts.map { bytes($0) })
        case "g": constant(name, [4], scales, type: 1)
        case "r": constant(name, [], [bytes(Float(choices.real(1)).bitPattern)], type: 1)
        case "e": constant(name, choices.rarely(2) ? [] : [1], [bytes(choices.extreme())])
        case "E":
            let value = choices.one(of: [Double(choices.extreme())] + Choices.reals)
            let isWide = choices.rarely(2)
            constant(
                name, [], [isWide ? bytes(value.bitPattern) : bytes(Float(value).bitPattern)],
                type: isWide ? 11 : 1)
        case "b": constant(name, [1], [[UInt8(choices.below(2))]], type: 9)
        default: return nil
        }
        return name
    }

    mutating func input(_ letter: Character) -> String {
        func newest(_ list: [String]) -> String { list[list.count - 1 - choices.below(list.count)] }
        switch letter {
        case "x": return choices.one(of: images)
        case "w", "c", "q": return String(letter)
        case "i": return newest(integers)
        case "n": return newest(scalars)
        case "f": return newest(floats)
        case "-": return ""
        case "a": return newest(integers + scalars + floats + images)
        default: return own(letter) ?? ""
        }
    }
}
