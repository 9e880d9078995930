import Findings
import Graph
import PickleData
import Problems
import Safetensors
import StrictZip

/// The tensors of a file that holds weights alone, by the names they have there.
struct WeightTable {
    let file: RandomAccessFile
    let format: ModelFormat
    /// In the file's order.
    let rows: [StoredWeight]
    /// Texts beside the weights, by their key.
    let metadata: [String: String]
    private let zip: ZipArchive?

    /// Nil for a file that is no such container.
    init?(_ file: RandomAccessFile, _ format: ModelFormat, _ zip: ZipArchive?, limits: ModelLimits) throws {
        switch format {
        case .safetensors:
            let content = try SafetensorsFile(file: file)
            metadata = content.metadata
            rows = content.tensors.map { tensor in
                StoredWeight(
                    location: WeightLocation(
                        name: tensor.name, type: tensor.type, shape: tensor.shape,
                        strides: WeightLayout.rowMajorStrides(tensor.shape), fileOffset: tensor.offset,
                        byteCount: tensor.byteCount))
            }
        case .checkpoint:
            guard let zip else { return nil }
            metadata = [:]
            rows = try CheckpointReader(zip, limits: limits).rows()
        default: return nil
        }
        guard rows.count <= limits.maximumWeights else {
            throw ModelFault.tooLarge.problem(
                "It has \(rows.count) tensors; at most \(limits.maximumWeights) are allowed.")
        }
        self.file = file
        self.format = format
        self.zip = zip
    }

    /// The model of these weights in the graph of `skeleton`.
    /// - Throws: `Problem` `weights-need-skeleton`, `weights-do-not-match`.
    func model(_ skeleton: ModelSkeleton?, limits: ModelLimits) throws -> ModelFile {
        do {
            return try read(into: skeleton, limits)
        } catch let mismatch as KeyMismatch {
            throw SkeletonFault.mismatch(self, mismatch)
        }
    }

    private func read(into skeleton: ModelSkeleton?, _ limits: ModelLimits) throws -> ModelFile {
        switch skeleton {
        case nil: throw SkeletonFault.needed(self)
        case .architecture(let name, let image):
            let graph = try BuiltInGraph.named(name)
            return try graph.model(self, image: image, limits: limits)
        case .file(let path):
            let model = try openModel(at: path, limits: limits)
            let match = try KeyMatch(
                expected: model.weights.map { .init(name: $0.name, type: $0.type, shape: $0.shape) },
                otherNames: model.otherNames, constants: model.constantNames, table: self)
            return try ModelFile(model, match, self, skeleton: .file(path))
        }
    }

    /// - Throws: `Problem` `zip-checksum`; where two weights share bytes.
    func verify(_ used: [StoredWeight]) throws {
        try used.checkSeparate()
        var verified: Set<String> = []
        for entry in used.compactMap(\.entry) where verified.insert(entry.name).inserted {
            try zip?.verifyChecksum(of: entry)
        }
    }
}

/// Checks a file of weights alone as far as that goes without its graph.
/// - Throws: `Problem` `skeleton-not-needed` for a model with a graph.
public func checkWeightsAlone(at path: String, limits: ModelLimits = ModelLimits()) throws {
    let file = try RandomAccessFile(path: path)
    let zipLimits = ZipLimits(maximumEntries: limits.maximumEntries, maximumDirectoryBytes: 32 << 20)
    let (format, zip) = try ModelFormat.recognise(file, limits: zipLimits)
    if try WeightTable(file, format, zip, limits: limits) != nil { return }
    throw format.refusal ?? SkeletonFault.notNeeded(format)
}

extension ModelFile {
    /// Names of graph inputs that no state dict has.
    fileprivate var constantNames: Set<String> {
        var names: Set<String> = []
        for input in graph.inputs {
            if case .constant(let name) = input.kind { names.insert(name) }
        }
        for (name, source) in sources
        where source.copies.first?.entry?.name.contains("/data/constants/") == true {
            names.insert(name)
        }
        return names.union(literals.keys)
    }

    /// The graph of `model` with the weights of `table`.
    fileprivate init(
        _ model: ModelFile, _ match: KeyMatch, _ table: WeightTable, skeleton: ModelSkeleton
    ) throws {
        try table.verify(match.used)
        var sources = model.sources.mapValues {
            WeightSource(file: $0.file, copies: $0.copies, isWritten: false)
        }
        for (name, copies) in match.rows {
            sources[name] = WeightSource(file: table.file, copies: copies, isWritten: true)
        }
        var summary = model.summary
        summary.format = table.format.rawValue
        summary.classNames =
            ClassNames.found(in: table.metadata, outputs: summary.classes) ?? summary.classNames
        self.init(
            model.graph, multiplyAdds: model.multiplyAdds, table.file, weights: model.weights,
            sources: sources, otherNames: model.otherNames,
            literals: model.literals, skeleton: skeleton, summary: summary)
    }

    /// The graph that is built in, with the weights of `table`.
    init(
        _ program: PT2Program, _ match: KeyMatch, _ table: WeightTable, skeleton: ModelSkeleton,
        limits: ModelLimits
    ) throws {
        let shapes = program.weights.mapValues(\.location.shape)
        let checked = try Self.check(program.graph, shapes: shapes, limits, ExportAdvice.text)
        try table.verify(match.used)
        self.init(
            checked.graph, multiplyAdds: checked.multiplyAdds, table.file,
            weights: checked.graph.inputs.compactMap { program.weights[$0.value]?.location },
            sources: match.rows.mapValues { WeightSource(file: table.file, copies: $0, isWritten: true) },
            skeleton: skeleton,
            summary: Self.summary(
                table.format, checked, parameters: Self.parameters(program.graph, shapes),
                operators: program.operators, metadata: table.metadata))
    }
}
