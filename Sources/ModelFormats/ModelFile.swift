import Findings
import Graph
import ONNX
import Problems
import StrictZip

/// A checked model file. Reads of weights go to the file at `path`, which must not be changed meanwhile.
public struct ModelFile: Sendable {
    /// The row-major elements of a weight, in its own element type, asked for when it is written.
    public typealias WeightBytes = () throws -> [UInt8]

    public var path: String { file.path }
    /// Simplified (see `GraphSimplifier`), checked, with a dynamic batch.
    public let graph: Graph
    /// Every parameter, buffer and constant that the graph reads, once each; two names that share their
    /// bytes (tied weights) are one entry here and one graph input.
    public let weights: [WeightLocation]
    public let summary: ModelSummary
    /// Multiply-adds of one forward pass of one image.
    public let multiplyAdds: Int
    let file: RandomAccessFile
    /// The archive entry that holds a weight, by the weight's name; none for a file that is no archive.
    let entries: [String: ZipEntry]
    /// Constants that the file does not hold byte by byte: they are read from here, and never change.
    let literals: [String: [UInt8]]

    /// The elements of a weight in row-major order of its shape, whatever its strides in the file.
    /// - Throws: `Problem` when the file cannot be read.
    public func readWeight(_ weight: WeightLocation) throws -> [UInt8] {
        if let literal = literals[weight.name] { return literal }
        let bytes = try file.bytes(at: weight.fileOffset, count: weight.byteCount)
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

    /// Copies the file to `destination` with other bytes for the named weights (and corrected CRC-32s),
    /// everything else byte-identical. The file appears under its name only when it is whole and on disk.
    /// - Throws: `Problem` `model-replacement` for a name that is not in `weights` or bytes of a wrong
    ///   number, `insufficientStorage` when the disk is full; what the providers throw.
    public func write(replacing replacements: [String: WeightBytes], to destination: String) throws {
        var writer = try ModelWriter(copyOf: file, to: destination)
        do {
            for weight in weights {
                guard let provider = replacements[weight.name], literals[weight.name] == nil else { continue }
                try writer.replace(weight, in: entries[weight.name], with: provider())
            }
            let known = Set(weights.map(\.name))
            if let name = replacements.keys.first(where: { !known.contains($0) }) {
                throw ModelFault.replacement.problem("There is no weight “\(name)”.")
            }
            try writer.finish()
        } catch {
            writer.abandon()
            throw error
        }
    }
}

/// Checks the model file at `path` in one pass: container, graph, operators, weight table. Nothing in it
/// is executed or unpickled.
/// - Throws: `Problem` that says what is wrong, where, and how to export the model instead.
public func openModel(at path: String, limits: ModelLimits = ModelLimits()) throws -> ModelFile {
    let file = try RandomAccessFile(path: path)
    guard file.size <= limits.maximumFileBytes else {
        throw ModelFault.tooLarge.problem(
            "It has \(file.size) bytes; at most \(limits.maximumFileBytes) are allowed.")
    }
    let zipLimits = ZipLimits(maximumEntries: limits.maximumEntries, maximumDirectoryBytes: 32 << 20)
    let (format, zip) = try ModelFormat.recognise(file, limits: zipLimits)
    if let refusal = format.refusal { throw refusal }
    if format == .onnx {
        return try ModelFile(ONNXModel(file, range: 0..<file.size, limits: limits.onnx), file, limits)
    }
    guard let zip else { throw ModelFault.archive.problem("It is no zip archive.") }
    let archive = try PT2Archive(zip, limits: limits)
    let program = try PT2Program(archive.program(), table: PT2Weights(archive), limits: limits)
    return try ModelFile(program, zip, limits)
}

extension ModelFile {
    fileprivate init(_ program: PT2Program, _ zip: ZipArchive, _ limits: ModelLimits) throws {
        let checked = try Self.check(
            program.graph, shapes: program.weights.mapValues(\.location.shape), limits, ExportAdvice.text)
        let rows = checked.graph.inputs.compactMap { program.weights[$0.value] }
        try Self.checkSeparate(rows.map(\.location))
        var verified: Set<String> = []
        for row in rows where verified.insert(row.entry.name).inserted {
            try zip.verifyChecksum(of: row.entry)
        }
        let parameters = Self.parameters(program.graph, program.weights.mapValues(\.location.shape))
        let operators = Dictionary(program.graph.nodes.map { ($0.operatorName, 1) }, uniquingKeysWith: +)
        self.init(
            checked, zip.file, .pt2, weights: rows.map(\.location), parameters: parameters,
            operators: operators,
            entries: Dictionary(
                rows.map { ($0.location.name, $0.entry) }, uniquingKeysWith: { first, _ in first }))
    }

    fileprivate init(_ model: ONNXModel, _ file: RandomAccessFile, _ limits: ModelLimits) throws {
        let shapes = model.weights.mapValues(\.location.shape)
        let checked = try Self.check(model.graph, shapes: shapes, limits, ExportAdvice.onnx)
        let rows = checked.graph.inputs.compactMap { model.weights[$0.value] }
        try Self.checkSeparate(rows.filter { $0.literal == nil }.map(\.location))
        self.init(
            checked, file, .onnx, weights: rows.map(\.location),
            parameters: Self.parameters(model.graph, shapes),
            operators: model.operators,
            literals: Dictionary(
                rows.compactMap { row in row.literal.map { (row.location.name, $0) } },
                uniquingKeysWith: { first, _ in first }))
    }

    private init(
        _ checked: CheckedGraph, _ file: RandomAccessFile, _ format: ModelFormat, weights: [WeightLocation],
        parameters: Int, operators: [String: Int], entries: [String: ZipEntry] = [:],
        literals: [String: [UInt8]] = [:]
    ) {
        self.file = file
        graph = checked.graph
        multiplyAdds = checked.multiplyAdds
        self.weights = weights
        self.entries = entries
        self.literals = literals
        summary = ModelSummary(
            format: format.rawValue, inputShape: checked.graph.imageShape,
            inputType: String(describing: checked.graph.imageType), classes: checked.graph.classes,
            parameters: parameters, operators: operators)
    }

    /// The graph simplified and checked; problems get the export line for this model.
    private static func check(
        _ raw: Graph, shapes: [Graph.ValueID: [Int]], _ limits: ModelLimits, _ advice: ([Int]) -> String
    ) throws -> CheckedGraph {
        try GraphChecker.checkStructure(raw, limits: limits.graph)
        do {
            return try GraphChecker.check(
                GraphSimplifier.simplified(raw), weightShapes: shapes, limits: limits.graph)
        } catch var problem as Problem {
            let image = raw.imageShape.dropFirst().compactMap { $0 }
            if problem.fix == nil, image.count == 3 { problem.fix = advice(image) }
            throw problem
        }
    }

    private static func parameters(_ graph: Graph, _ shapes: [Graph.ValueID: [Int]]) -> Int {
        graph.inputs.reduce(0) { sum, input in
            guard case .parameter = input.kind, let shape = shapes[input.value] else { return sum }
            return sum + shape.reduce(1, *)
        }
    }

    /// Tied weights are one by now: what still overlaps would be written twice, differently.
    private static func checkSeparate(_ locations: [WeightLocation]) throws {
        let sorted = locations.sorted { $0.fileOffset < $1.fileOffset }
        for (first, second) in zip(sorted, sorted.dropFirst())
        where first.fileOffset + first.byteCount > second.fileOffset {
            throw ModelFault.weights.problem(
                "“\(first.name)” and “\(second.name)” are different views of the same memory. Clone one of "
                    + "them in the model before exporting it.")
        }
    }
}
