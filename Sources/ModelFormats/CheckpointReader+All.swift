import Containers

extension CheckpointReader {
    private static let maximumDepth = 32

    /// Every tensor and array of the file, wherever it is kept.
    func allRows() -> [TableRow] {
        var rows: [TableRow] = []
        for (value, path) in containers() {
            let container = path.joined(separator: ".")
            for (key, member) in members(of: value) {
                switch member {
                case .tensor(let id): rows.append(row(document.tensors[id], key, in: container))
                case .array(let id): rows.append(row(document.arrays[id], key, in: container))
                default: break
                }
            }
        }
        return rows
    }

    /// Every dict, list and tuple of the file, and the keys that lead to it. One that stands in several places is named once.
    func containers() -> [(value: PickleDocument.Value, path: [String])] {
        var found: [(value: PickleDocument.Value, path: [String])] = []
        var seen: Set<PickleDocument.Value> = []
        var open: [(value: PickleDocument.Value, path: [String])] = [(document.root, [])]
        while let (value, path) = open.popLast() {
            guard path.count <= Self.maximumDepth else { continue }
            found.append((value, path))
            for (key, member) in members(of: value) {
                switch member {
                case .tensor, .array: break
                default: if seen.insert(member).inserted { open.append((member, path + [key])) }
                }
            }
        }
        return found
    }

    /// Of a dict, list or tuple, with their keys as text.
    private func members(of value: PickleDocument.Value) -> [(String, PickleDocument.Value)] {
        if let members = document.members(value) {
            return members.map { (name(of: $0.key), $0.value) }
        }
        return (document.items(value) ?? []).enumerated().map { (String($0), $1) }
    }

    private func name(of key: PickleDocument.Value) -> String {
        if let text = document.text(key, in: pickle) { return text }
        if case .int(let number) = key { return String(number) }
        return "?"
    }

    private func row(_ tensor: PickleDocument.Tensor, _ key: String, in container: String) -> TableRow {
        TableRow(
            path: container.isEmpty ? key : container + "." + key, container: container, shape: tensor.shape,
            isFloating: tensor.storage.type.isFloatingPoint,
            // What can't be written to is told by having no place.
            weight: try? row(key, tensor))
    }

    private func row(_ array: PickleDocument.Array, _ key: String, in container: String) -> TableRow {
        TableRow(
            path: container.isEmpty ? key : container + "." + key, container: container, shape: array.shape,
            isFloating: array.type.contains("f"))
    }
}
