import ZipFixtures

/// Tables of tensors and of images: safetensors, checkpoints, NumPy, IDX, CIFAR, Parquet, each sound but for its
/// hostile numbers.
struct TableGenerator {
    enum File {
        case weights([UInt8])
        case images([UInt8])
    }

    private var choices: Choices

    static let kinds = 13

    static func file(_ input: Input) -> File {
        var generator = TableGenerator(choices: Choices(input))
        let kind = generator.choices.below(kinds)
        switch kind {
        case 0: return .weights(generator.safetensors(0..<3))
        case 1: return .images(generator.safetensors(3..<5))
        case 2: return .weights(generator.checkpoint())
        case 3: return .images(generator.numpy())
        case 4: return .images(generator.idx())
        case 5: return .images(generator.binaryCIFAR())
        case 6: return .images(generator.pickledCIFAR())
        default:
            return .images(
                ParquetGenerator.file(&generator.choices, isList: kind & 1 == 1, form: (kind - 7) / 2))
        }
    }

    /// As `torch.save` writes one.
    static func checkpoint(_ choices: inout Choices) -> [UInt8] {
        var generator = TableGenerator(choices: choices)
        defer { choices = generator.choices }
        return generator.checkpoint()
    }

    private init(choices: Choices) { self.choices = choices }

    private func zeros(_ count: Int64) -> [UInt8] {
        Array(repeating: 0, count: Int(max(0, min(count, 4_096))))
    }

    /// Elements of a shape, as far as they are few.
    private func elements(_ shape: [Int64]) -> Int64 {
        shape.reduce(1) { count, size in
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            return overflow ? 0 : product
        }
    }

    /// - Parameter rows: those of weights, or those of images.
    private mutating func safetensors(_ rows: Range<Int>) -> [UInt8] {
        let usual: [(String, String, Int64, [Int64])] = [
            ("conv.weight", "F32", 4, [2, 3, 3, 3]), ("fc.weight", "F32", 4, [10, 32]),
            ("fc.bias", "F32", 4, [10]),
            ("images", "U8", 1, [4, 3, 3, 3]), ("labels", "I64", 8, [4]),
        ]
        var offset: Int64 = 0
        var members: [String] = []
        var content: [UInt8] = []
        for (name, type, width, sizes) in usual[rows] {
            let shape = choices.shape(sizes)
            let (count, overflow) = elements(shape).multipliedReportingOverflow(by: width)
            let length = overflow ? 0 : max(0, min(count, 1 << 12))
            let end = offset + length
            content +=
                name == "labels"
                ? (0..<length / width).flatMap { bytes(choices.number($0 & 1)) } : zeros(length)
            let places = "\(choices.number(offset)),\(choices.number(end))"
            let text = shape.map(String.init).joined(separator: ",")
            members.append(
                "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":[\(text)],\"data_offsets\":[\(places)]}")
            offset = end
        }
        let header = Array("{\(members.joined(separator: ","))}".utf8)
        return bytes(UInt64(bitPattern: choices.number(Int64(header.count)))) + header
            + content
    }

    private mutating func numpy() -> [UInt8] {
        let images = choices.shape([4, 3, 3])
        let labels = choices.shape([4])
        let types = choices.one(of: [("|u1", 1), ("<u2", 2), ("<f4", 4), ("<f8", 8)])
        func file(_ type: String, _ shape: [Int64], _ content: [UInt8], _ length: Int64?) -> [UInt8] {
            let sizes = shape.map { "\($0), " }.joined()
            let text = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }\n"
            let stated = UInt16(truncatingIfNeeded: length ?? Int64(text.utf8.count))
            return [0x93] + Array("NUMPY".utf8) + [1, 0] + bytes(stated) + Array(text.utf8) + content
        }
        let length: Int64? = choices.rarely(8) ? choices.number(64) : nil
        let y = file(
            "<i8", labels, (0..<max(0, min(elements(labels), 64))).flatMap { bytes(choices.number($0 & 1)) },
            nil)
        let x = file(
            types.0, images, zeros(elements(images).multipliedReportingOverflow(by: Int64(types.1)).0), length
        )
        return ZipBuilder([.init("x.npy", x), .init("y.npy", y)]).build()
    }

    private mutating func idx() -> [UInt8] {
        func file(_ rank: UInt8, _ shape: [Int64], _ content: [UInt8]) -> [UInt8] {
            [0, 0, 8, rank] + shape.flatMap { bytes(UInt32(truncatingIfNeeded: $0).bigEndian) } + content
        }
        let images = choices.shape([4, 5, 5])
        let labels = choices.shape([4])
        let rank = UInt8(truncatingIfNeeded: choices.number(Int64(images.count)))
        return ZipBuilder([
            .init("train-images-idx3-ubyte", file(rank, images, zeros(elements(images)))),
            .init("train-labels-idx1-ubyte", file(UInt8(labels.count), labels, [0, 1, 0, 1])),
        ]).build()
    }

    private mutating func binaryCIFAR() -> [UInt8] {
        let record = [UInt8(truncatingIfNeeded: choices.number(1))] + zeros(3_072)
        let cut = zeros(choices.number(3_073))
        return ZipBuilder([.init("data_batch_1.bin", [0] + zeros(3_072) + record + cut)]).build()
    }

    private mutating func pickledCIFAR() -> [UInt8] {
        var pickle = PickleWriter()
        let shape = choices.shape([2, 3_072])
        let labels = [choices.number(0), choices.number(1)]
        pickle.batch(shape: shape, labels: labels, content: zeros(3_072) + zeros(3_072))
        return ZipBuilder([.init("data_batch_1", pickle.bytes)]).build()
    }

    private mutating func checkpoint() -> [UInt8] {
        var pickle = PickleWriter()
        pickle.begin()
        let usual: [(String, [Int64])] = [
            ("conv.weight", [2, 3, 3, 3]), ("fc.weight", [10, 32]), ("fc.bias", [10]),
        ]
        for (place, (name, sizes)) in usual.enumerated() {
            let shape = choices.shape(sizes)
            let strides =
                shape.count == sizes.count
                ? WeightsOf.strides(sizes).map { choices.number($0) } : choices.shape(shape)
            pickle.tensor(
                name, key: place, count: choices.number(sizes.reduce(1, *)), offset: choices.number(0),
                shape: shape,
                strides: strides)
        }
        pickle.end()
        return ZipBuilder([
            .init("archive/data.pkl", pickle.bytes), .init("archive/byteorder", "little"),
            .init("archive/data/0", zeros(216)), .init("archive/data/1", zeros(1_280)),
            .init("archive/data/2", zeros(40)), .init("archive/version", "3\n"),
        ]).build()
    }
}
