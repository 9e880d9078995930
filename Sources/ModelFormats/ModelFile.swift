import Findings
import Graph
import Problems

/// A checked model file. Reads of weights go to the file at `path`, which must not be changed meanwhile.
public struct ModelFile: Sendable {
    /// The row-major elements of a weight, in its own element type, asked for when it is written.
    public typealias WeightBytes = () throws -> [UInt8]

    public let path: String
    /// Simplified (see `GraphSimplifier`), checked, with a dynamic batch.
    public let graph: Graph
    /// Every parameter, buffer and constant that the graph reads, once each; two names that share their
    /// bytes (tied weights) are one entry here and one graph input.
    public let weights: [WeightLocation]
    public let summary: ModelSummary

    /// The elements of a weight in row-major order of its shape, whatever its strides in the file.
    public func readWeight(_ weight: WeightLocation) throws -> [UInt8] {
        throw Problem(.unavailable, code: "model-reader", title: "Interface only", detail: path)
    }

    /// Copies the file to `destination` with other bytes for the named weights (and corrected CRC-32s),
    /// everything else byte-identical. The file appears under its name only when it is whole and on disk.
    public func write(replacing weights: [String: WeightBytes], to destination: String) throws {
        throw Problem(.unavailable, code: "model-writer", title: "Interface only", detail: path)
    }
}

/// Checks the model file at `path` in one pass: container, graph, operators, weight table. Nothing in it
/// is executed or unpickled.
/// - Throws: `Problem` that says what is wrong, where, and how to export the model instead.
public func openModel(at path: String, limits: ModelLimits = ModelLimits()) throws -> ModelFile {
    throw Problem(.unavailable, code: "model-reader", title: "Interface only", detail: path)
}
