import ZipFixtures

/// Writes pickles as PyTorch and NumPy do, of protocol 2.
struct PickleWriter {
    private(set) var bytes: [UInt8] = [0x80, 2]

    private mutating func op(_ text: String) { bytes += Array(text.utf8) }

    private mutating func text(_ text: String) {
        op("X")
        bytes += ZipFixtures.bytes(UInt32(text.utf8.count)) + Array(text.utf8)
    }

    private mutating func number(_ value: Int64) {
        bytes += [0x8A, 8] + ZipFixtures.bytes(value)
    }

    private mutating func tuple(_ numbers: [Int64]) {
        op("(")
        for value in numbers { number(value) }
        op("t")
    }

    /// A dict of tensors.
    mutating func begin() { op("}(") }

    mutating func end() { op("u.") }

    mutating func tensor(
        _ name: String, key: Int, count: Int64, offset: Int64, shape: [Int64], strides: [Int64]
    ) {
        text(name)
        op("ctorch._utils\n_rebuild_tensor_v2\n((")
        text("storage")
        op("ctorch\nFloatStorage\n")
        text("\(key)")
        text("cpu")
        number(count)
        op("tQ")
        number(offset)
        tuple(shape)
        tuple(strides)
        bytes.append(0x89)
        op("ccollections\nOrderedDict\n)RtR")
    }

    /// A batch of CIFAR.
    mutating func batch(shape: [Int64], labels: [Int64], content: [UInt8]) {
        op("}(")
        text("labels")
        op("](")
        for label in labels { number(label) }
        op("e")
        text("data")
        op("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\u{0}tR(K\u{1}")
        tuple(shape)
        op("cnumpy\ndtype\n(")
        text("u1")
        op("K\u{0}K\u{1}tR(K\u{3}")
        text("|")
        op("NNNNNNtb")
        bytes.append(0x89)
        op("B")
        bytes += ZipFixtures.bytes(UInt32(content.count)) + content
        op("tbu.")
    }
}
