import Containers
import Findings
import Graph
import Support

/// A graph that is built in, and the weights that it takes. Public for lists of what there is.
public struct BuiltInGraph {
    /// Every name, sorted.
    public static let names = BuiltInGraphs.all.map(\.name)
    private static let maximumBytes = 64 << 20

    public let name: String
    /// Channels, height, width of the usual image.
    public let image: [Int]
    let weights: [KeyMatch.Expected]
    private let program: JSONNode

    /// - Throws: `Problem` `architecture-unknown`.
    public static func named(_ name: String) throws -> BuiltInGraph {
        guard let entry = BuiltInGraphs.all.first(where: { $0.name == name }) else {
            throw SkeletonFault.unknown(name)
        }
        return try BuiltInGraph(name, entry.document)
    }

    private init(_ name: String, _ compressed: [UInt8]) throws {
        self.name = name
        let root = try JSONNode(
            parsing: Gunzip.bytes(compressed, limit: Self.maximumBytes), name: name,
            limits: JSONLimits(maximumDepth: 64, maximumBytes: Self.maximumBytes, maximumValues: 3_000_000),
            report: { ModelFault.document.problem($0, at: $1) })
        image = try root.member("image").items().map { try $0.int() }
        weights = try root.member("weights").members().map { name, node in
            KeyMatch.Expected(
                name: name, type: .float32,
                shape: try node.items().map { $0.value == .null ? nil : try $0.int() })
        }
        program = try root.member("program")
    }

    /// The model of the weights in `table`; their sizes say how many classes there are.
    /// - Parameter side: of the square images; nil for the usual one.
    func model(_ table: WeightTable, image side: Int?, limits: ModelLimits) throws -> ModelFile {
        let match = try KeyMatch(expected: weights, table: table)
        var rows: [String: StoredWeight] = [:]
        // Each at a place of its own: no two of them are tied.
        var offset = 0
        for weight in weights {
            guard let found = match.rows[weight.name]?.first?.location else { continue }
            let count = found.shape.reduce(1, *)
            guard count > 0 else { throw ModelFault.weights.problem("“\(found.name.prefix(80))” is empty.") }
            rows[weight.name] = StoredWeight(
                location: WeightLocation(
                    name: weight.name, type: weight.type, shape: found.shape,
                    strides: WeightLayout.rowMajorStrides(found.shape), fileOffset: offset,
                    byteCount: count * weight.type.byteCount))
            offset += count * weight.type.byteCount
        }
        guard offset <= limits.maximumWeightBytes else {
            throw ModelFault.tooLarge.problem(
                "The weights have \(offset) bytes; at most \(limits.maximumWeightBytes) are allowed.")
        }
        let program = try PT2Program(program, table: PT2Weights(rows: rows), side: side, limits: limits)
        do {
            return try ModelFile(
                program, match, table, skeleton: .architecture(name, image: side), limits: limits)
        } catch var problem as Problem where side != nil && problem.code.hasPrefix("graph-") {
            problem.detail += " The side of the images, \(side ?? 0), may not suit \(name)."
            problem.location = "image"
            throw problem
        }
    }

    /// Those whose weights have the names and shapes of a table's: what its user may mean.
    static func matching(_ table: WeightTable) -> [String] {
        everyWeight.filter { (try? KeyMatch(expected: $0.weights, table: table)) != nil }.map(\.name)
    }

    /// Read once: the graphs are large, and needed for their weights' names alone.
    private static let everyWeight: [(name: String, weights: [KeyMatch.Expected])] =
        BuiltInGraphs.all.compactMap { name, document in
            (try? BuiltInGraph(name, document)).map { (name, $0.weights) }
        }
}
