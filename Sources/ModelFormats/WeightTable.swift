import Containers
import Findings
import Graph
import Support

/// The tensors of a file that holds weights alone, by the names they have there.
struct WeightTable {
    let file: RandomAccessFile
    let format: ModelFormat
    /// In the file's order.
    private(set) var rows: [StoredWeight]
    /// Every tensor of the file, also beside the weights.
    let all: [TableRow]
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
            all = rows.map { row in
                TableRow(
                    path: row.location.name, container: "", shape: row.location.shape,
                    isFloating: row.location.type.isFloatingPoint, weight: row)
            }
        case .checkpoint:
            guard let zip else { return nil }
            metadata = [:]
            let reader = try CheckpointReader(zip, limits: limits)
            all = reader.allRows()
            rows = try reader.rows()
        default: return nil
        }
        guard max(rows.count, all.count) <= limits.maximumWeights else {
            throw ModelFault.tooLarge.problem(
                "It has \(max(rows.count, all.count)) tensors; at most \(limits.maximumWeights) are allowed.")
        }
        self.file = file
        self.format = format
        self.zip = zip
    }

    /// The model of these weights in the graph of `skeleton`.
    /// - Throws: `Problem` `weights-need-skeleton`, `weights-do-not-match`.
    func model(_ skeleton: ModelSkeleton?, images: ImageSize? = nil, limits: ModelLimits) throws -> ModelFile
    {
        do {
            return try read(into: skeleton, images, limits)
        } catch let mismatch as KeyMismatch {
            throw SkeletonFault.mismatch(self, mismatch)
        }
    }

    private func read(
        into skeleton: ModelSkeleton?, _ images: ImageSize?, _ limits: ModelLimits
    ) throws -> ModelFile {
        switch skeleton {
        case nil: throw SkeletonFault.needed(self)
        case .output: throw SkeletonFault.withoutOutputs
        case .architecture(let name, let image, let weights):
            let graph = try BuiltInGraph.named(name)
            let copies = WeightCopies(graph.weights, in: self)
            let choice = try copies.choose(weights)
            let model = try graph.model(selecting(choice, of: copies), image: image, limits: limits)
            return try model.holding(
                copies, choice, self, skeleton: .architecture(name, image: image, weights: weights))
        case .file(let path, let weights):
            let model = try openModel(at: path, images: images, limits: limits)
            let expected = model.weights.map {
                KeyMatch.Expected(name: $0.name, type: $0.type, shape: $0.shape)
            }
            let copies = WeightCopies(
                expected, otherNames: model.otherNames, without: model.constantNames, in: self)
            let choice = try copies.choose(weights)
            let table = selecting(choice, of: copies)
            let match = try KeyMatch(
                expected: expected, otherNames: model.otherNames, constants: model.constantNames, table: table
            )
            return try ModelFile(model, match, table, skeleton: .file(path))
                .holding(copies, choice, self, skeleton: .file(path, weights: weights))
        }
    }

    /// With the rows of the chosen copy, and those beside them that nothing accounts for.
    private func selecting(_ choice: WeightCopies.Choice?, of copies: WeightCopies) -> WeightTable {
        guard let choice else { return self }
        let containers = Set(choice.copy.rows.values.map(\.container))
        let known = Set(copies.moments.map(\.path) + copies.parts.filter { !$0.isTied }.map(\.row.path))
        var table = self
        table.rows = all.filter { row in
            containers.contains(row.container) && !known.contains(row.path)
                && copies.owner(of: row).map { $0 == choice.copy.name } ?? true
        }.compactMap(\.weight)
        return table
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
    /// With what else the file holds of its weights: written along with them.
    fileprivate func holding(
        _ copies: WeightCopies, _ choice: WeightCopies.Choice?, _ table: WeightTable, skeleton: ModelSkeleton
    ) throws -> ModelFile {
        guard let choice else { return self }
        var sources = sources
        let further =
            choice.others.flatMap { copy in copy.rows.map { ($0.key, $0.value) } }
            + copies.parts.map { ($0.weight, $0.row) }
        for (name, row) in further {
            guard let weight = row.weight, let source = sources[name], source.isWritten,
                !source.copies.contains(where: { $0.location.fileOffset == weight.location.fileOffset })
            else { continue }
            sources[name] = WeightSource(file: source.file, copies: source.copies + [weight], isWritten: true)
        }
        let moments = copies.moments.compactMap(\.weight)
        var places: Set<Int> = []
        try table.verify(
            (sources.values.filter(\.isWritten).flatMap(\.copies) + moments)
                .filter { places.insert($0.location.fileOffset).inserted })
        var summary = summary
        if choice.summary.count > 1 || choice.copy.isInUnusualPlace { summary.weightCopies = choice.summary }
        let derived = copies.parts.count { !$0.isTied } + moments.count
        if derived > 0 { summary.derivedTensors = derived }
        return ModelFile(
            graph, multiplyAdds: multiplyAdds, file, weights: weights, sources: sources,
            otherNames: otherNames,
            literals: literals, moments: moments, skeleton: skeleton, summary: summary)
    }

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
        summary.keptTensors = match.foreign.isEmpty ? nil : match.foreign
        summary.classNames =
            OutputNameEntries.found(in: table.metadata, outputs: summary.classes) ?? summary.classNames
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
        var summary = Self.summary(
            table.format, checked, parameters: Self.parameters(program.graph, shapes),
            operators: program.operators, metadata: table.metadata)
        summary.keptTensors = match.foreign.isEmpty ? nil : match.foreign
        self.init(
            checked.graph, multiplyAdds: checked.multiplyAdds, table.file,
            weights: checked.graph.inputs.compactMap { program.weights[$0.value]?.location },
            sources: match.rows.mapValues { WeightSource(file: table.file, copies: $0, isWritten: true) },
            skeleton: skeleton, summary: summary)
    }
}
