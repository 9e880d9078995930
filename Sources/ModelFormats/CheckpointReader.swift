import Containers
import Graph
import Support

/// Reads where the tensors of a PyTorch checkpoint lie (`torch.save`, zip container of PyTorch 1.6 and newer).
/// Its pickle is read as data; nothing in it is ever called.
struct CheckpointReader {
    private static let maximumPickleBytes = 64 << 20
    /// Where training scripts keep the weights, beside other things.
    static let usualKeys = ["state_dict", "model_state_dict", "model", "net", "netC", "weights"]

    private let zip: ZipArchive
    private let limits: ModelLimits
    /// The folder of all entries.
    private let root: String
    let pickle: [UInt8]
    let document: PickleDocument

    init(_ zip: ZipArchive, limits: ModelLimits) throws {
        self.zip = zip
        self.limits = limits
        guard
            let entry = zip.entries.first(where: { $0.name.hasSuffix("/data.pkl") || $0.name == "data.pkl" })
        else { throw ModelFault.archive.problem("There is no data.pkl in it.") }
        root = String(entry.name.dropLast("data.pkl".count))
        try TorchEntries.checkSaved(zip, root: root)
        if let order = zip[root + "byteorder"] {
            guard try zip.contents(of: order, limit: 64) == Array("little".utf8) else {
                throw ModelFault.version.problem("The byte order is not little.", at: order.name)
            }
        }
        pickle = try zip.contents(of: entry, limit: Self.maximumPickleBytes)
        document = try PickleReader.read(pickle, name: entry.name)
    }

    /// Each tensor of the state dict, checked against the entry that holds its bytes.
    func rows() throws -> [StoredWeight] {
        var rows: [StoredWeight] = []
        var names: Set<String> = []
        for (key, value) in try stateDict() {
            guard let name = document.text(key, in: pickle) else { continue }
            guard case .tensor(let id) = value else { continue }
            guard names.insert(name).inserted else {
                throw ModelFault.weights.problem("Two tensors are called “\(name.prefix(80))”.")
            }
            rows.append(try row(name, document.tensors[id]))
        }
        return rows
    }

    /// The dict that holds the tensors: the one with the most, at most two levels down. Where there is none in the usual
    /// places, any other one (`ema`, `student.backbone`), but not what an optimiser keeps.
    private func stateDict() throws -> [(key: PickleDocument.Value, value: PickleDocument.Value)] {
        guard let members = document.members(document.root) else {
            throw Problem(
                .unprocessable, code: "checkpoint-no-state-dict", title: "The checkpoint holds no state dict",
                detail: "Its top is no dict of tensors.", fix: PickleFault.saveAgain)
        }
        var candidates = [members]
        for name in Self.usualKeys {
            guard let value = document.member(document.root, name, in: pickle) else { continue }
            if let inner = document.members(value) { candidates.append(inner) }
            if let deeper = document.member(value, "state_dict", in: pickle).flatMap(document.members) {
                candidates.append(deeper)
            }
        }
        let others = containers().filter { !$0.path.contains { $0.lowercased().contains("optim") } }
        guard
            let found = Self.fullest(candidates)
                ?? Self.fullest(others.compactMap { document.members($0.value) })
        else {
            let keys = members.prefix(20).compactMap { document.text($0.key, in: pickle) }
            throw Problem(
                .unprocessable, code: "checkpoint-no-state-dict", title: "The checkpoint holds no state dict",
                detail: "No dict in it holds tensors by their names; its keys are "
                    + keys.map { "“\($0.prefix(40))”" }.joined(separator: ", ") + ".",
                fix: PickleFault.saveAgain)
        }
        return found
    }

    /// The one with the most tensors, of equally good ones the first; nil where none has any.
    private static func fullest(
        _ dicts: [[(key: PickleDocument.Value, value: PickleDocument.Value)]]
    ) -> [(key: PickleDocument.Value, value: PickleDocument.Value)]? {
        var best: (count: Int, index: Int)?
        for (index, dict) in dicts.enumerated() {
            let count = dict.count { if case .tensor = $0.value { true } else { false } }
            if count > best?.count ?? 0 { best = (count, index) }
        }
        return best.map { dicts[$0.index] }
    }

    func row(_ name: String, _ tensor: PickleDocument.Tensor) throws -> StoredWeight {
        let storage = tensor.storage
        func refuse(_ detail: String) -> Problem {
            ModelFault.weights.problem("“\(name.prefix(80))”: \(detail)", at: "\(root)data/\(storage.key)")
        }
        guard let entry = zip["\(root)data/\(storage.key)"] else { throw refuse("Its entry is missing.") }
        guard entry.method == .stored else { throw refuse("Its entry is compressed.") }
        let width = storage.type.byteCount
        let (bytes, bytesOverflow) = storage.count.multipliedReportingOverflow(by: width)
        guard !bytesOverflow, bytes == entry.size else {
            throw refuse(
                "\(storage.count) elements of \(storage.type) are announced; the entry has \(entry.size) bytes."
            )
        }
        if tensor.shape.contains(0) {
            return StoredWeight(
                location: WeightLocation(
                    name: name, type: storage.type, shape: tensor.shape, strides: tensor.strides,
                    fileOffset: entry.dataOffset, byteCount: 0), entry: entry)
        }
        guard tensor.shape.count <= limits.graph.maximumRank,
            let layout = WeightLayout(shape: tensor.shape, strides: tensor.strides)
        else {
            throw refuse(
                "Its elements (sizes \(tensor.shape), strides \(tensor.strides)) share memory, or are too many."
            )
        }
        let (end, overflow) = tensor.offset.addingReportingOverflow(layout.span)
        guard !overflow, end <= storage.count else {
            throw refuse(
                "Sizes \(tensor.shape), strides \(tensor.strides) and offset \(tensor.offset) do not fit the "
                    + "\(storage.count) elements of its storage.")
        }
        return StoredWeight(
            location: WeightLocation(
                name: name, type: storage.type, shape: tensor.shape, strides: tensor.strides,
                fileOffset: entry.dataOffset + tensor.offset * width, byteCount: layout.span * width),
            entry: entry)
    }
}
