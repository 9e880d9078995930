/// Class folders found among names of outputs: by the name itself, else without regard to case, spaces, underscores and
/// hyphens, else by one of the synonyms that commas separate ("tench, Tinca tinca").
public struct NameMatch: Hashable, Sendable {
    /// One for each folder; nil where no output has its name, or several have.
    public var outputs: [Int?]
    private var candidates: [Set<Int>]

    public init(_ folders: [String], among names: [(name: String, output: Int)]) {
        var exact: [String: Set<Int>] = [:]
        var folded: [String: Set<Int>] = [:]
        var synonyms: [String: Set<Int>] = [:]
        for (name, output) in names {
            exact[name, default: []].insert(output)
            folded[Self.fold(name), default: []].insert(output)
            for part in name.split(separator: ",") {
                synonyms[Self.fold(String(part)), default: []].insert(output)
            }
        }
        candidates = folders.map { folder in
            let key = Self.fold(folder)
            return exact[folder] ?? (key.isEmpty ? nil : folded[key] ?? synonyms[key]) ?? []
        }
        outputs = candidates.map { $0.count == 1 ? $0.first : nil }
    }

    /// The outputs, where every folder has one of its own.
    public var complete: [Int]? {
        let found = outputs.compactMap(\.self)
        return found.count == outputs.count && Set(found).count == found.count && !found.isEmpty ? found : nil
    }

    /// Whether `order` may stand for the folders although not all of their names are known: none is, or no output is
    /// without a class and those that are known are where it has them.
    func allows(_ order: [Int], among count: Int) -> Bool {
        if outputs.allSatisfy({ $0 == nil }) { return true }
        return order.count == count && zip(order, outputs).allSatisfy { $1 == nil || $0 == $1 }
    }

    /// Why the folder at `place` has no output.
    func why(_ place: Int) -> String {
        candidates[place].isEmpty
            ? "no output"
            : "more than one output (\(candidates[place].sorted().prefix(5).map(String.init).joined(separator: ", ")))"
    }

    static func fold(_ name: String) -> String { name.lowercased().filter { !" _-".contains($0) } }
}
