import Containers
import Graph
import Support

/// The table of weights (or of constants) of a `.pt2` archive, every size, stride and offset checked
/// against the entry that holds the bytes.
struct PT2Weights {
    typealias Row = StoredWeight

    private(set) var rows: [String: Row] = [:]
    /// The element type of each entry.
    private var types: [String: ScalarType] = [:]

    init(rows: [String: Row]) { self.rows = rows }

    init(_ archive: PT2Archive) throws {
        try read(archive.weightTable(), "weights", archive)
        // Constants have names of their own; a buffer that is not persistent lies with them.
        try read(archive.constantTable(), "constants", archive)
        guard rows.count <= archive.limits.maximumWeights else {
            throw ModelFault.tooLarge.problem(
                "It has \(rows.count) weights; at most \(archive.limits.maximumWeights) are allowed.")
        }
        var total = 0
        for row in rows.values {
            guard let sum = Checked.sum(total, row.location.byteCount) else {
                throw ModelFault.tooLarge.problem("The weights have more bytes than can be counted.")
            }
            total = sum
        }
        guard total <= archive.limits.maximumWeightBytes else {
            throw ModelFault.tooLarge.problem(
                "The weights have \(total) bytes; at most \(archive.limits.maximumWeightBytes) are allowed.")
        }
    }

    private mutating func read(_ table: JSONNode, _ folder: String, _ archive: PT2Archive) throws {
        for (name, node) in try table.member("config").members() {
            guard try node.optional("use_pickle")?.bool() != true else {
                throw ModelFault.pickled.problem("“\(name.prefix(80))” is pickled.", at: node.place.text)
            }
            let file = try node.member("path_name").string()
            guard file.hasPrefix(folder == "weights" ? "weight_" : "tensor_") else {
                throw ModelFault.pickled.problem(
                    "“\(name.prefix(80))” is no plain tensor, but “\(file.prefix(80))”.", at: node.place.text)
            }
            guard rows[name] == nil else {
                throw ModelFault.weights.problem(
                    "“\(name.prefix(80))” is both a weight and a constant.", at: node.place.text)
            }
            let entry = try archive.payload(folder, file, at: node.place)
            let location = try Self.location(name, node, entry, archive.limits)
            // PyTorch reads all of an entry as the type that its first row has.
            guard types.updateValue(location.type, forKey: entry.name) ?? location.type == location.type,
                entry.size.isMultiple(of: location.type.byteCount)
            else {
                throw ModelFault.weights.problem(
                    "“\(name.prefix(80))”: Its entry is said to hold elements of two types, or a part of one.",
                    at: entry.name)
            }
            rows[name] = Row(location: location, entry: entry)
        }
    }

    private static func location(
        _ name: String, _ node: JSONNode, _ entry: ZipEntry, _ limits: ModelLimits
    ) throws -> WeightLocation {
        let meta = try node.member("tensor_meta")
        func refuse(_ detail: String) -> Problem {
            ModelFault.weights.problem("“\(name.prefix(80))”: \(detail)", at: meta.place.text)
        }
        let type = try PT2Tensors.scalarType(meta.member("dtype"))
        let shape = try meta.member("sizes").items().map { try PT2Tensors.known($0) }
        let strides = try meta.member("strides").items().map { try PT2Tensors.known($0) }
        let offset = try PT2Tensors.known(meta.member("storage_offset"))
        guard try meta.member("layout").int() == 7 else { throw refuse("Its layout is not strided.") }
        guard strides.count == shape.count, shape.count <= limits.graph.maximumRank else {
            throw refuse("It has \(shape.count) sizes and \(strides.count) strides.")
        }
        guard shape.allSatisfy({ $0 >= 1 }) else { throw refuse("The sizes \(shape) are not all positive.") }
        guard let layout = WeightLayout(shape: shape, strides: strides) else {
            throw refuse("Its elements (sizes \(shape), strides \(strides)) share memory, or are too many.")
        }
        guard let span = Checked.product(layout.span, type.byteCount),
            let start = Checked.product(offset, type.byteCount),
            let place = Checked.range(start, count: span, in: 0..<entry.size)
        else {
            throw refuse(
                "Sizes \(shape), strides \(strides) and offset \(offset) of \(type) do not fit the \(entry.size) "
                    + "bytes of “\(entry.name)”.")
        }
        return WeightLocation(
            name: name, type: type, shape: shape, strides: strides,
            // bounded: the entry lies in the file, the weight in the entry.
            fileOffset: entry.dataOffset + place.lowerBound,
            byteCount: place.count)
    }
}
