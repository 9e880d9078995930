import Findings
import Graph
import Support

/// Everything in a file of weights alone that is, or was made from, the weights of one graph: training scripts save moving
/// averages, teachers and the optimiser's state beside the model.
///
/// A copy is found by the graph's names behind one prefix, wherever in the file. What is not a whole copy and has a weight's
/// name is a part of one. What the optimiser keeps is known by its usual names.
struct WeightCopies {
    struct Copy {
        /// Where it lies: the keys that lead there, or `.` for the top of the file.
        var name: String
        /// By the graph's names.
        var rows: [String: TableRow]
        fileprivate var prefix: String { name == "." ? "" : name + "." }
        /// Whether it lies in a dict that has no usual name: worth a word, even if there is no other.
        var isInUnusualPlace: Bool {
            rows.values.contains { row in
                guard let key = row.container.split(separator: ".").first else { return false }
                return !CheckpointReader.usualKeys.contains(String(key))
            }
        }
    }

    private(set) var copies: [Copy] = []
    /// Single tensors with a weight's name and shape, by that name.
    private(set) var parts: [(weight: String, row: TableRow, isTied: Bool)] = []
    /// The optimiser's moments.
    private(set) var moments: [TableRow] = []
    /// What may be weights as well, but has neither their names nor those of an optimiser.
    private(set) var unaccounted: [String] = []

    private let expected: [KeyMatch.Expected]
    private let table: WeightTable

    /// - Parameters:
    ///   - otherNames: as for `KeyMatch`.
    ///   - constants: weights that no state dict has.
    init(
        _ expected: [KeyMatch.Expected], otherNames: [String: String?] = [:],
        without constants: Set<String> = [], in table: WeightTable
    ) {
        self.table = table
        self.expected = expected.filter { !constants.contains($0.name) }
        findCopies()
        account(otherNames)
    }

    private mutating func findCopies() {
        // The largest weight: no other one has its name behind a prefix by chance.
        let largest = expected.max { Self.size($0) < Self.size($1) }
        guard let reference = largest else { return }
        let byPath = Dictionary(table.all.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        for cut in Self.commonPrefixes(expected.map(\.name)) {
            let key = reference.name.dropFirst(cut.count)
            for row in table.all where row.path.hasSuffix(key) {
                let prefix = String(row.path.dropLast(key.count))
                guard prefix.isEmpty || prefix.hasSuffix(".") else { continue }
                var rows: [String: TableRow] = [:]
                for weight in expected {
                    guard let found = byPath[prefix + weight.name.dropFirst(cut.count)], found.fits(weight)
                    else { break }
                    rows[weight.name] = found
                }
                guard rows.count == expected.count else { continue }
                copies.append(Copy(name: prefix.isEmpty ? "." : String(prefix.dropLast()), rows: rows))
            }
            // With a shorter cut all names hold: the same rows would be found again.
            if !copies.isEmpty { return }
        }
    }

    private mutating func account(_ otherNames: [String: String?]) {
        let used = Set(copies.flatMap { $0.rows.values.map(\.path) })
        let byName = Dictionary(expected.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let places = copies.flatMap { $0.rows.values.compactMap(\.weight?.location.fileOffset) }
        let occupied = Set(places)
        let components = (Array(byName.keys) + otherNames.keys).map(Self.components).max() ?? 0
        for row in table.all where !used.contains(row.path) {
            // The same bytes under another name.
            if let place = row.weight?.location.fileOffset, occupied.contains(place) { continue }
            if row.isCounter { continue }
            let suffixes = row.suffixes(components)
            if row.isMoment, row.weight != nil {
                moments.append(row)
            } else if let other = suffixes.lazy.compactMap({ otherNames[$0] }).first {
                if let tied = other, byName[tied].map(row.fits) ?? false { parts.append((tied, row, true)) }
            } else if let name = suffixes.first(where: { byName[$0].map(row.fits) ?? false }) {
                parts.append((name, row, false))
            } else if !copies.isEmpty, mayBeWeights(row) {
                unaccounted.append(row.path)
            }
        }
    }

    /// A matrix of a weight's shape, or as many numbers in one row as the largest weight has.
    private func mayBeWeights(_ row: TableRow) -> Bool {
        guard row.isFloating else { return false }
        let shapes = copies[0].rows.values.map(\.shape)
        if row.shape.count > 1 { return shapes.contains(row.shape) }
        let largest = shapes.filter { $0.count > 1 }.map { $0.reduce(1, *) }.max() ?? Int.max
        return row.shape.reduce(1, *) >= largest
    }

    private static func components(_ name: String) -> Int {
        name.utf8.count { $0 == UInt8(ascii: ".") } + 1
    }

    private static func size(_ weight: KeyMatch.Expected) -> Int {
        weight.shape.reduce(1) { $0 * max(1, $1 ?? 1) }
    }

    /// What wrappers put before all names of a graph, shortest first; the empty one among them.
    private static func commonPrefixes(_ names: [String]) -> [String] {
        guard let first = names.min() else { return [""] }
        let parts = first.split(separator: ".", omittingEmptySubsequences: false)
        return [""]
            + (1...3).filter { $0 < parts.count }.map { parts[..<$0].joined(separator: ".") + "." }
            .filter { prefix in names.allSatisfy { $0.hasPrefix(prefix) } }
    }
}

extension WeightCopies {
    /// The copy in whose place a tensor lies.
    func owner(of row: TableRow) -> String? {
        copies.filter { row.path.hasPrefix($0.prefix) }.max { $0.prefix.count < $1.prefix.count }?.name
    }

    /// The copy that is analysed, and what the file holds beside it.
    struct Choice {
        var copy: Copy
        var others: [Copy]
        var summary: [WeightCopy]
    }

    /// Nil where the file holds no copy as a whole.
    /// - Parameter wanted: the name that the user gave.
    /// - Throws: `Problem` `weights-ambiguous`, `weights-unknown`, `weights-unaccounted`.
    func choose(_ wanted: String?) throws -> Choice? {
        guard !copies.isEmpty else {
            if let wanted { throw CopyFault.unknown(wanted, []) }
            return nil
        }
        if !unaccounted.isEmpty { throw CopyFault.unaccounted(unaccounted) }
        var index = 0
        if let wanted {
            guard let found = copies.firstIndex(where: { $0.name == wanted }) ?? only(startingWith: wanted)
            else { throw CopyFault.unknown(wanted, copies.map(\.name)) }
            index = found
        }
        let different = try copies.map { try differences(copies[index], $0) }
        if wanted == nil, let other = different.firstIndex(where: { $0 > 0 }) {
            throw CopyFault.ambiguous(
                copies.map(\.name), different: different[other], of: expected.count,
                between: (copies[index].name, copies[other].name))
        }
        return Choice(
            copy: copies[index], others: copies.indices.filter { $0 != index }.map { copies[$0] },
            summary: copies.indices.map {
                WeightCopy(name: copies[$0].name, isAnalysed: $0 == index, isEqual: different[$0] == 0)
            })
    }

    /// `state_dict` may stand for `state_dict.module`.
    private func only(startingWith name: String) -> Int? {
        let found = copies.indices.filter { copies[$0].name.hasPrefix(name + ".") }
        return found.count == 1 ? found[0] : nil
    }

    /// Weights of which the two have other values.
    private func differences(_ one: Copy, _ other: Copy) throws -> Int {
        guard one.name != other.name else { return 0 }
        return try expected.count { weight in
            guard let first = one.rows[weight.name]?.weight?.location,
                let second = other.rows[weight.name]?.weight?.location
            else { return true }
            if first.fileOffset == second.fileOffset, first.type == second.type { return false }
            func values(_ location: WeightLocation) throws -> [UInt8] {
                ElementConversion.convert(
                    try table.file.elements(of: location), from: location.type, to: weight.type)
            }
            return try values(first) != values(second)
        }
    }
}

extension TableRow {
    private static let momentNames: Set<String> = [
        "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "exp_inf", "momentum_buffer", "square_avg", "grad_avg",
        "acc_delta", "sum", "prev", "ax", "exp_avg_slow", "exp_avg_diff", "previous_grad", "master_param",
    ]

    /// Kept by an optimiser: more than a count.
    var isMoment: Bool {
        let parts = path.split(separator: ".")
        let isOptimisers =
            parts.contains { $0.lowercased().contains("optim") }
            || parts.last.map { Self.momentNames.contains(String($0)) } ?? false
        return isOptimisers && isFloating && shape.reduce(1, *) > 1
    }

    var isCounter: Bool { path.hasSuffix("num_batches_tracked") }

    /// The path's last components, from at most `most` of them down to one.
    func suffixes(_ most: Int) -> [String] {
        let parts = path.split(separator: ".", omittingEmptySubsequences: false).suffix(most)
        return parts.indices.map { parts[$0...].joined(separator: ".") }
    }

    func fits(_ expected: KeyMatch.Expected) -> Bool {
        guard let weight else { return false }
        return shape.count == expected.shape.count
            && zip(shape, expected.shape).allSatisfy { $1 == nil || $0 == $1 }
            && ElementConversion.isPossible(weight.location.type, expected.type)
    }
}

/// What can be wrong with several copies of the weights in one file.
enum CopyFault {
    private static let alone = "save the weights alone: torch.save(model.state_dict(), \"weights.pth\")"

    private static func list(_ names: [String]) -> String {
        names.prefix(8).map { "“\($0.prefix(80))”" }.joined(separator: ", ")
            + (names.count > 8 ? " and \(names.count - 8) more" : "")
    }

    static func ambiguous(
        _ names: [String], different: Int, of all: Int, between pair: (String, String)
    ) -> Problem {
        Problem(
            .unprocessable, code: "weights-ambiguous",
            title: "The file holds different copies of the weights",
            detail:
                "\(list(names)) fit the graph; “\(pair.0.prefix(80))” and “\(pair.1.prefix(80))” differ in \(different) of "
                + "\(all) tensors. Only one of them can be analysed, and another one may carry what it does not.",
            location: "weights",
            fix: "Name the one that is used (weights=NAME, on the command line --weights NAME; "
                + "“.” is the top of the file), or \(alone).")
    }

    static func unknown(_ wanted: String, _ names: [String]) -> Problem {
        Problem(
            .unprocessable, code: "weights-unknown", title: "There are no such weights in the file",
            detail: "No copy of the weights is called “\(wanted.prefix(80))”"
                + (names.isEmpty ? "; none that fits the graph was found." : "; there are \(list(names))."),
            location: "weights",
            fix: names.isEmpty ? "Leave the option out." : "Name one of these, or leave the option out.")
    }

    static func unaccounted(_ names: [String]) -> Problem {
        Problem(
            .unprocessable, code: "weights-unaccounted",
            title: "The file holds more that may be weights",
            detail:
                "\(list(names)) \(names.count == 1 ? "has" : "have") the shape of weights, and neither their names nor those "
                + "of an optimiser's state. A purification could not tell whether the backdoor is in there as well.",
            location: "weights", fix: "Leave it out: \(alone).")
    }
}
