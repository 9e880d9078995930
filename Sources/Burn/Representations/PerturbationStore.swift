import Foundation
import Graph
import Support
import Tensors

/// How unit perturbations are kept: float16 rows of at most `maximumWidth` numbers.
///
/// Up to that many input values a row is the unit perturbation itself. Larger inputs are count-sketched: every
/// value goes into one of `maximumWidth` buckets with a random sign, which keeps inner products up to an error
/// of about 1/√maximumWidth (Charikar, Chen and Farach-Colton, 2002).
package struct PerturbationSketch: Sendable {
    package static let maximumWidth = 4096
    /// Numbers in a row.
    package let width: Int
    /// True when rows are the unit perturbations themselves.
    package let isExact: Bool
    /// Numbers that a row stands for: C x H x W of a perturbation.
    package let values: Int
    private let buckets: Tensor
    private let signs: Tensor

    package init(values: Int) throws {
        self.values = values
        isExact = values <= Self.maximumWidth
        width = min(values, Self.maximumWidth)
        var random = SplitMix64(seed: 0x5ce7_c4ed)
        let drawn = isExact ? [] : (0..<values).map { _ in random.next() }
        buckets = try Tensor(drawn.map { Int($0 >> 8) % Self.maximumWidth })
        signs = try Tensor(drawn.map { Float($0 & 1 == 0 ? 1 : -1) })
    }

    /// Bytes of a row.
    package var rowBytes: Int { width * 2 }

    /// (n, values) unit rows to (n, width) float32.
    private func reduced(_ rows: Tensor) throws -> Tensor {
        if isExact { return rows }
        let zero = try Tensor.zeros([rows.size(0), width])
        return try callOperator(
            "aten::index_add", "",
            [.tensor(zero), .int(1), .tensor(buckets), .tensor(rows * signs), .double(1)])
    }

    /// The same as the bytes that are kept.
    package func bytes(_ rows: Tensor) throws -> [UInt8] {
        try reduced(rows).to(.float16).contiguous().bytes()
    }
}

/// Unit perturbations of all samples on disk, a row each: see `PerturbationSketch`.
///
/// Memory stays independent of the number of samples and of their size.
package final class PerturbationStore: Sendable {
    package static let maximumWidth = PerturbationSketch.maximumWidth
    package let sketch: PerturbationSketch
    private let file: FileHandle

    /// Numbers in a row.
    package var width: Int { sketch.width }
    /// True when rows are the unit perturbations themselves.
    package var isExact: Bool { sketch.isExact }

    /// Opens the file, or makes it; `values` is C x H x W.
    package init(path: String, samples: Int, values: Int) throws {
        sketch = try PerturbationSketch(values: values)
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        file = try FileHandle(forUpdating: URL(filePath: path))
        try file.truncate(atOffset: UInt64(samples * sketch.rowBytes))
    }

    /// Stores the sketches of samples, a row each.
    package func write(_ rows: Tensor, of samples: [Int]) throws {
        try write(sketch.bytes(rows), of: samples)
    }

    /// - Parameter bytes: of the rows that are kept, a row for each sample.
    package func write(_ bytes: [UInt8], of samples: [Int]) throws {
        let size = sketch.rowBytes
        let complete =
            bytes.count == samples.count * size
            && bytes.withUnsafeBytes { buffer in
                samples.enumerated().allSatisfy { position, sample in
                    let row = buffer[position * size..<(position + 1) * size]
                    return pwrite(
                        file.fileDescriptor, UnsafeRawBufferPointer(rebasing: row).baseAddress, row.count,
                        off_t(sample * size)) == row.count
                }
            }
        guard complete else { throw Self.failure("written") }
    }

    /// (samples.count, width) float32.
    package func rows(_ samples: [Int]) throws -> Tensor {
        var bytes = [UInt8](repeating: 0, count: samples.count * width * 2)
        let complete = bytes.withUnsafeMutableBytes { buffer in
            samples.enumerated().allSatisfy { position, sample in
                let row = buffer[position * width * 2..<(position + 1) * width * 2]
                return pread(
                    file.fileDescriptor, UnsafeMutableRawBufferPointer(rebasing: row).baseAddress, row.count,
                    off_t(sample * width * 2)) == row.count
            }
        }
        guard complete else { throw Self.failure("read") }
        return try bytes.withUnsafeBytes {
            try Tensor(bytes: $0, type: .float16, shape: [samples.count, width]).to(.float32)
        }
    }

    /// On disk when it returns.
    package func synchronise() throws { try file.synchronize() }

    private static func failure(_ verb: String) -> Problem {
        Problem(
            .internal, code: "perturbations-io", title: "A working file failed",
            detail: "the perturbations could not be \(verb): \(String(cString: strerror(errno)))")
    }
}

extension Tensor {
    /// Rows of (n, width) at length 1; those shorter than `least`, and zeros, stay shorter.
    func unitRows(least: Double = 1e-9) throws -> Tensor {
        try self / norm([1]).clamp(least, nil).unsqueeze(1)
    }
}
