import Containers
import Findings
import Graph
import Support

/// A checked model file. Reads of weights go to the file at `path`, which must not be changed meanwhile.
public struct ModelFile: Sendable {
    /// The row-major elements of a weight, in its own element type, asked for when it is written.
    public typealias WeightBytes = () throws -> [UInt8]

    public var path: String { file.path }
    /// Simplified (see `GraphSimplifier`), checked, with a dynamic batch.
    public let graph: Graph
    /// Every parameter, buffer and constant that the graph reads, once each, with the type and shape that the
    /// graph takes; two names that share their bytes (tied weights) are one entry here and one graph input.
    public let weights: [WeightLocation]
    public private(set) var summary: ModelSummary
    /// Multiply-adds of one forward pass of one image.
    public let multiplyAdds: Int
    let file: RandomAccessFile
    /// What feeds each of `weights`, by name.
    let sources: [String: WeightSource]
    /// Names of the file's state that the graph does not read by themselves: those tied to a weight (by the
    /// weight's name), and those not needed (nil).
    let otherNames: [String: String?]
    /// What the graph came from, for a file of weights alone.
    let skeleton: ModelSkeleton?
    /// Constants that the file does not hold byte by byte: they are read from here, and never change.
    let literals: [String: [UInt8]]
    /// What an optimiser made from the weights: cleared when these are replaced.
    let moments: [StoredWeight]

    /// The elements of a weight in row-major order of its shape, in the type that the graph takes.
    /// - Throws: `Problem` when the file cannot be read.
    public func readWeight(_ weight: WeightLocation) throws -> [UInt8] {
        if let literal = literals[weight.name] { return literal }
        guard let source = sources[weight.name], let stored = source.copies.first else {
            throw ModelFault.weights.problem("There is no weight “\(weight.name)”.")
        }
        return stored.decoded(try source.file.elements(of: stored.location), as: weight.type)
    }

    /// The same model with the weights of a file that `write` made.
    public func copy(at path: String, limits: ModelLimits = ModelLimits()) throws -> ModelFile {
        let sides = graph.imageShape.suffix(2).compactMap { $0 }
        return try openModel(
            at: path, skeleton: skeleton,
            images: sides.count == 2 ? ImageSize(height: sides[0], width: sides[1]) : nil, limits: limits)
    }

    /// Its summary says which sides the file leaves open.
    func leavingOpen(_ sides: DeclaredSides) -> ModelFile {
        var file = self
        guard file.summary.inputShape.count == 4 else { return self }
        if sides.height.isOpen { file.summary.inputShape[2] = nil }
        if sides.width.isOpen { file.summary.inputShape[3] = nil }
        return file
    }

    /// Copies the file to `destination` with other bytes for the named weights (and corrected CRC-32s),
    /// everything else byte-identical but for an optimiser's moments, which are cleared along with that, and the pickled
    /// sample inputs of a `.pt2` archive, which are left out; without replacements a copy of the file. The file appears under its name only when it is whole and on disk.
    /// - Throws: `Problem` `model-replacement` for a name that is not in `weights` or bytes of a wrong
    ///   number, `insufficientStorage` when the disk is full; what the providers throw.
    public func write(replacing replacements: [String: WeightBytes], to destination: String) throws {
        var writer = try ModelWriter(copyOf: file, to: destination)
        do {
            for weight in weights {
                guard let provider = replacements[weight.name] else { continue }
                guard let source = sources[weight.name], source.isWritten else { continue }
                let bytes = try provider()
                for copy in source.copies {
                    try writer.replace(copy, with: copy.encoded(bytes, from: weight.type))
                }
            }
            for moment in moments where !replacements.isEmpty {
                let count = moment.location.shape.reduce(1, *) * moment.location.type.byteCount
                try writer.replace(moment, with: [UInt8](repeating: 0, count: count))
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
        // Without new weights it is the upload, byte by byte.
        if summary.format == ModelFormat.pt2.rawValue, !replacements.isEmpty {
            try ExportedArchive.rewrite(destination, limits: ModelLimits())
        }
    }
}

/// Checks the model file at `path` in one pass: container, graph, operators, weight table. Nothing in it
/// is executed or unpickled.
/// - Parameters:
///   - skeleton: the graph for a file of weights alone (safetensors, PyTorch checkpoint).
///   - images: the size of the images that it is to take, where the model leaves that open.
/// - Throws: `Problem` that says what is wrong, where, and how to export the model instead.
public func openModel(
    at path: String, skeleton: ModelSkeleton? = nil, images: ImageSize? = nil,
    limits: ModelLimits = ModelLimits()
) throws -> ModelFile {
    do {
        return try readModel(at: path, skeleton: skeleton, images: images, limits: limits)
    } catch var problem as Problem where problem.fix == nil && problem.category != .internal {
        // What is at fault lies within the file: another export mends it.
        problem.fix = ExportAdvice.text()
        throw problem
    }
}

private func readModel(
    at path: String, skeleton: ModelSkeleton?, images: ImageSize?, limits: ModelLimits
) throws -> ModelFile {
    let file = try RandomAccessFile(path: path)
    guard file.size <= limits.maximumFileBytes else {
        throw ModelFault.tooLarge.problem(
            "It has \(file.size) bytes; at most \(limits.maximumFileBytes) are allowed.")
    }
    let zipLimits = ZipLimits(maximumEntries: limits.maximumEntries, maximumDirectoryBytes: 32 << 20)
    let (format, zip) = try ModelFormat.recognise(file, limits: zipLimits)
    if let table = try WeightTable(file, format, zip, limits: limits) {
        return try table.model(skeleton, images: images, limits: limits)
    }
    if let refusal = format.refusal { throw refusal }
    let output: String?
    switch skeleton {
    case .output(let name)?: output = name
    case nil: output = nil
    case .architecture?, .file?: throw SkeletonFault.notNeeded(format, skeleton)
    }
    if format == .onnx {
        let package = try ONNXPackage(file, zip, limits: limits)
        return try OpenSizes.model(for: images) { size in
            let model = try ONNXModel(
                file, range: package?.model ?? 0..<file.size, files: package?.files ?? ONNXFiles([:]),
                output: output, images: size, limits: limits.onnx)
            try package?.requireNothingElse(than: model.externalFiles)
            return try ModelFile(model, file, package, skeleton, limits)
        }
    }
    guard let zip else { throw ModelFault.archive.problem("It is no zip archive.") }
    let archive = try PT2Archive(zip, limits: limits)
    let table = try PT2Weights(archive)
    return try OpenSizes.model(for: images) { size in
        let program = try PT2Program(
            archive.program(), table: table, images: size, output: output, limits: limits)
        return try ModelFile(program, zip, names: table, metadata: archive.metadata(), skeleton, limits)
    }
}

extension ModelFile {
    fileprivate init(
        _ program: PT2Program, _ zip: ZipArchive, names table: PT2Weights, metadata: [String: String],
        _ skeleton: ModelSkeleton?, _ limits: ModelLimits
    ) throws {
        let shapes = program.weights.mapValues(\.location.shape)
        let checked = try Self.check(program.graph, shapes: shapes, limits, ExportAdvice.text)
        let rows = checked.graph.inputs.compactMap { program.weights[$0.value] }
        try rows.checkSeparate()
        var verified: Set<String> = []
        for entry in rows.compactMap(\.entry) where verified.insert(entry.name).inserted {
            try zip.verifyChecksum(of: entry)
        }
        let sources = Dictionary(
            rows.map { row in
                (row.location.name, WeightSource(file: zip.file, copies: [row], isWritten: true))
            }, uniquingKeysWith: { first, _ in first })
        let read = Dictionary(
            rows.map { ($0.location.bytes, $0.location.name) }, uniquingKeysWith: { first, _ in first })
        var summary = Self.summary(
            .pt2, checked, parameters: Self.parameters(program.graph, shapes),
            operators: program.operators, metadata: metadata)
        summary.output = program.outputName
        summary.inputType = String(describing: program.imageType)
        summary.conversion = program.isHalf ? WeightConversion.ofHalf(program.imageType) : nil
        self.init(
            checked.graph, multiplyAdds: checked.multiplyAdds, zip.file,
            weights: rows.map { program.isHalf ? $0.location.asFloat32 : $0.location }, sources: sources,
            otherNames: table.rows.filter { sources[$0.key] == nil }.mapValues { read[$0.location.bytes] },
            skeleton: skeleton, summary: summary)
    }

    fileprivate init(
        _ model: ONNXModel, _ file: RandomAccessFile, _ package: ONNXPackage?, _ skeleton: ModelSkeleton?,
        _ limits: ModelLimits
    ) throws {
        let shapes = model.weights.mapValues(\.location.shape)
        let checked = try Self.check(model.graph, shapes: shapes, limits, ExportAdvice.onnx)
        let rows = checked.graph.inputs.compactMap { model.weights[$0.value] }
        let stored = rows.filter { $0.literal == nil }.map { row in
            var stored = package?.stored(row.location) ?? StoredWeight(location: row.location)
            stored.quantisation = row.quantisation
            return stored
        }
        try stored.checkSeparate()
        try package?.verify(stored)
        var summary = Self.summary(
            .onnx, checked, parameters: Self.parameters(model.graph, shapes), operators: model.operators,
            metadata: model.metadata)
        summary.output = model.outputName
        summary.inputType = String(describing: model.imageType == .uint8 ? .float32 : model.imageType)
        summary.conversion = model.conversion(rows)
        self.init(
            checked.graph, multiplyAdds: checked.multiplyAdds, file,
            weights: rows.map(\.graphLocation),
            sources: Dictionary(
                stored.map { row in
                    (row.location.name, WeightSource(file: file, copies: [row], isWritten: true))
                }, uniquingKeysWith: { first, _ in first }),
            literals: Dictionary(
                rows.compactMap { row in row.literal.map { (row.location.name, $0) } },
                uniquingKeysWith: { first, _ in first }),
            skeleton: skeleton, summary: summary)
    }

    init(
        _ graph: Graph, multiplyAdds: Int, _ file: RandomAccessFile, weights: [WeightLocation],
        sources: [String: WeightSource], otherNames: [String: String?] = [:],
        literals: [String: [UInt8]] = [:], moments: [StoredWeight] = [], skeleton: ModelSkeleton? = nil,
        summary: ModelSummary
    ) {
        self.file = file
        self.graph = graph
        self.multiplyAdds = multiplyAdds
        self.weights = weights
        self.sources = sources
        self.otherNames = otherNames
        self.literals = literals
        self.moments = moments
        self.skeleton = skeleton
        self.summary = summary
    }

    static func summary(
        _ format: ModelFormat, _ checked: CheckedGraph, parameters: Int, operators: [String: Int],
        metadata: [String: String]
    ) -> ModelSummary {
        ModelSummary(
            format: format.rawValue, inputShape: checked.graph.imageShape,
            inputType: String(describing: checked.graph.imageType), classes: checked.graph.classes,
            parameters: parameters, operators: operators,
            classNames: OutputNameEntries.found(in: metadata, outputs: checked.graph.classes))
    }

    /// The graph simplified and checked; problems get the export line for this model.
    static func check(
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

    static func parameters(_ graph: Graph, _ shapes: [Graph.ValueID: [Int]]) -> Int {
        graph.inputs.reduce(0) { sum, input in
            guard case .parameter = input.kind, let shape = shapes[input.value] else { return sum }
            // As many as the file has elements: no weight shares them with another.
            return sum + (Checked.elements(shape) ?? 0)
        }
    }
}

extension PT2Program {
    /// Operator name to number of nodes, as exported.
    var operators: [String: Int] {
        Dictionary(graph.nodes.map { ($0.operatorName, 1) }, uniquingKeysWith: +)
    }
}

extension WeightLocation {
    /// Two weights of the same are tied.
    fileprivate var bytes: [Int] { [fileOffset, Int(type.rawValue)] + shape + [-1] + strides }
}
