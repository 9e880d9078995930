import Graph
import Support

/// What is wrong between the names of a file and those of a graph.
struct KeyMismatch: Error {
    var missing: [String]
    var unexpected: [String]
    /// Sentences, with both shapes.
    var different: [String]
}

/// Which tensor of a file feeds which weight of a graph, by name.
struct KeyMatch {
    struct Expected {
        var name: String
        var type: ScalarType
        /// Nil for a size that the file decides: the number of classes.
        var shape: [Int?]

        init(name: String, type: ScalarType, shape: [Int?]) {
            self.name = name
            self.type = type
            self.shape = shape
        }
    }

    /// By the graph's name; several where tied weights are stored more than once.
    private(set) var rows: [String: [StoredWeight]] = [:]
    /// Tensors that are none of the network's, such as a loss's or a metric's: kept as they are.
    private(set) var foreign: [String] = []
    /// Each tensor that feeds a weight, once; tied ones that share their bytes are one.
    private(set) var used: [StoredWeight] = []

    /// - Parameters:
    ///   - otherNames: names that the graph does not read by themselves, and the weight they are tied to.
    ///   - constants: weights that no state dict has.
    /// - Throws: `KeyMismatch`; `Problem` where tied weights differ.
    init(
        expected: [Expected], otherNames: [String: String?] = [:], constants: Set<String> = [],
        table: WeightTable
    ) throws {
        let wanted = expected.filter { !constants.contains($0.name) }
        let names = Set(wanted.map(\.name))
        let (added, removed) = Self.prefixes(of: table.rows.map(\.location.name), names)
        var found: [String: [StoredWeight]] = [:]
        var unexpected: [String] = []
        for row in table.rows {
            let key = row.location.name
            let name = added + key.dropFirst(key.hasPrefix(removed) ? removed.count : 0)
            if names.contains(name) {
                found[name, default: []].append(row)
            } else if let tied = otherNames[name] {
                if let tied, names.contains(tied) { found[tied, default: []].append(row) }
            } else if !Self.isCounter(name) {
                unexpected.append(key)
            }
        }
        var missing: [String] = []
        var different: [String] = []
        for weight in wanted {
            guard let copies = found[weight.name] else {
                missing.append(weight.name)
                continue
            }
            for copy in copies {
                let shape = copy.location.shape
                let fits =
                    shape.count == weight.shape.count
                    && zip(shape, weight.shape).allSatisfy { $1 == nil || $0 == $1 }
                if !fits || !ElementConversion.isPossible(copy.location.type, weight.type) {
                    different.append(Self.difference(copy.location, weight))
                }
            }
            rows[weight.name] = copies
        }
        let modules = Set(names.map { Self.module($0.dropFirst(added.count)) })
        let isForeign = { (key: String) in
            guard key.hasPrefix(removed) else { return true }
            let module = Self.module(key.dropFirst(removed.count))
            return !modules.contains(module) && !module.allSatisfy(\.isNumber)
        }
        if missing.isEmpty, different.isEmpty, unexpected.allSatisfy(isForeign) {
            (foreign, unexpected) = (unexpected, [])
        }
        guard missing.isEmpty, unexpected.isEmpty, different.isEmpty else {
            throw KeyMismatch(missing: missing, unexpected: unexpected, different: different)
        }
        for copies in rows.values {
            var places: Set<Int> = []
            for copy in copies where places.insert(copy.location.fileOffset).inserted { used.append(copy) }
        }
        try checkTied(table)
    }

    /// Counts of batches that old checkpoints lack and inference never reads.
    private static func isCounter(_ name: String) -> Bool { name.hasSuffix("num_batches_tracked") }

    /// The first part of a name: what the network's own module is called.
    private static func module(_ name: some StringProtocol) -> String { String(name.prefix { $0 != "." }) }

    private static func difference(_ found: WeightLocation, _ expected: Expected) -> String {
        let shape = expected.shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
        return
            "“\(found.name.prefix(80))” is \(found.type) (\(found.shape.map(String.init).joined(separator: ", "))), "
            + "expected \(expected.type) (\(shape))"
    }

    /// Two copies of a tied weight must be the same: the graph has one.
    private func checkTied(_ table: WeightTable) throws {
        for (name, copies) in rows where copies.count > 1 {
            let first = try table.file.elements(of: copies[0].location)
            for copy in copies.dropFirst() where copy.location.fileOffset != copies[0].location.fileOffset {
                guard try table.file.elements(of: copy.location) == first else {
                    throw ModelFault.weights.problem(
                        "“\(copies[0].location.name)” and “\(copy.location.name)” feed the same weight “\(name)”, and differ."
                    )
                }
            }
        }
    }

    /// What wrappers put before the names (`module.`, `model.`, `_orig_mod.`): the prefix to add and the one
    /// to remove with which most of the file's keys are names of the graph.
    static func prefixes(of keys: [String], _ names: Set<String>) -> (added: String, removed: String) {
        var added: Set<String> = [""]
        if let first = names.min() {
            let parts = first.split(separator: ".", omittingEmptySubsequences: false)
            for count in 1...3 where count < parts.count {
                let prefix = parts[..<count].joined(separator: ".") + "."
                if names.allSatisfy({ $0.hasPrefix(prefix) }) { added.insert(prefix) }
            }
        }
        let cuts = Set(Set(keys.prefix(64).flatMap(beginnings)).sorted(by: isBefore).prefix(128))
        let longest = names.map(\.utf8.count).max() ?? 0
        // A key begins with few of the cuts, which its own dots say: however many cuts there are, it is looked up as often.
        var hits: [Wrapping: Int] = [:]
        for key in keys {
            for cut in beginnings(of: key) where cuts.contains(cut) {
                let rest = Substring(key.utf8.dropFirst(cut.utf8.count))
                for prefix in added where rest.utf8.count <= longest - prefix.utf8.count {
                    guard names.contains(prefix + rest) else { continue }
                    hits[Wrapping(added: prefix, removed: cut), default: 0] += 1
                }
            }
        }
        // Of equally good ones that which adds least, and then that which removes least.
        var best = (hits: 0, wrapping: Wrapping(added: "", removed: ""))
        for prefix in added.sorted() {
            for cut in cuts.sorted(by: isBefore) {
                let wrapping = Wrapping(added: prefix, removed: cut)
                if let count = hits[wrapping], count > best.hits { best = (count, wrapping) }
            }
        }
        return (best.wrapping.added, best.wrapping.removed)
    }

    private struct Wrapping: Hashable {
        var added, removed: String
    }

    private static func isBefore(_ one: String, _ other: String) -> Bool {
        (one.utf8.count, one) < (other.utf8.count, other)
    }

    /// Up to each of the key's first three dots; the empty one among them.
    private static func beginnings(of key: String) -> [String] {
        var found = [""]
        for index in key.utf8.indices where key.utf8[index] == UInt8(ascii: ".") {
            guard found.count <= 3 else { break }
            found.append(String(key[...index]))
        }
        return found
    }
}
