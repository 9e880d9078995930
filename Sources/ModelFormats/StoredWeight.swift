import Containers
import Graph
import Support

/// Where the bytes of a weight lie in a file.
struct StoredWeight: Sendable {
    /// As the file has it.
    var location: WeightLocation
    /// The archive entry whose checksum covers the bytes; nil where there is no archive.
    var entry: ZipEntry?
    /// What its whole numbers stand for.
    var quantisation: Quantisation?

    /// The graph's elements from the file's, which are row-major.
    func decoded(_ bytes: [UInt8], as type: ScalarType) -> [UInt8] {
        quantisation?.decoded(bytes) ?? ElementConversion.convert(bytes, from: location.type, to: type)
    }

    /// The file's elements from the graph's.
    func encoded(_ bytes: [UInt8], from type: ScalarType) -> [UInt8] {
        quantisation?.encoded(bytes) ?? ElementConversion.convert(bytes, from: type, to: location.type)
    }
}

/// What feeds a weight of the graph.
struct WeightSource: Sendable {
    let file: RandomAccessFile
    /// The bytes are written to each of these, and read from the first: tied weights may be stored twice.
    let copies: [StoredWeight]
    /// False for what comes from the skeleton and not from the upload.
    let isWritten: Bool
}

extension RandomAccessFile {
    /// The elements of a weight in row-major order of its shape, whatever its strides in the file.
    func elements(of weight: WeightLocation) throws -> [UInt8] {
        let bytes = try bytes(at: weight.fileOffset, count: weight.byteCount)
        guard let layout = WeightLayout(shape: weight.shape, strides: weight.strides) else {
            throw ModelFault.weights.problem("“\(weight.name)” has no layout.")
        }
        if layout.isRowMajor { return bytes }
        let width = weight.type.byteCount
        var result: [UInt8] = []
        result.reserveCapacity(layout.count * width)
        layout.forEachElement { position in
            result.append(contentsOf: bytes[position * width..<(position + 1) * width])
        }
        return result
    }
}

extension Sequence<StoredWeight> {
    /// - Throws: `Problem` where two of them lie on the same bytes: they would be written twice, differently.
    func checkSeparate() throws {
        let sorted = map(\.location).sorted { $0.fileOffset < $1.fileOffset }
        for (first, second) in zip(sorted, sorted.dropFirst())
        where first.fileOffset + first.byteCount > second.fileOffset {
            throw ModelFault.weights.problem(
                "“\(first.name)” and “\(second.name)” are different views of the same memory. Clone one of "
                    + "them in the model before exporting it.")
        }
    }
}
