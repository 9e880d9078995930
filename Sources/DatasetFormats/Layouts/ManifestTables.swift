import Findings
import Support
import WorkerProtocol

/// The tables of a set that say the labels of files.
struct ManifestTables {
    private(set) var usable: [Manifest] = []
    /// Why others are not, by path.
    private(set) var faults: [String: Problem] = [:]
    /// Of a table that is a manifest by its name.
    private(set) var namedFault: Problem?

    init(_ candidates: [ManifestCandidate], limits: ImportLimits) throws {
        for candidate in candidates {
            do {
                usable.append(try Manifest(candidate.bytes, path: candidate.path, limits: limits))
            } catch let problem as Problem where problem.category != .internal {
                faults[candidate.path.name] = problem
                if candidate.isNamed, namedFault == nil { namedFault = problem }
            }
        }
    }

    /// Whether the folders give the same classes as the table.
    var agreesWithFolders: Bool { usable.count == 1 && usable[0].agreesWithFolders }

    /// The tables to be read.
    /// - Throws: `Problem` `manifests-ambiguous` where several say something else.
    func choose(_ given: ImportOptions.Split?) throws -> (
        manifests: [Manifest], split: ImportOptions.Split?, unused: [String: String]
    ) {
        var tables = usable
        var unused: [String: String] = [:]
        var split: ImportOptions.Split?
        let parts = Set(tables.compactMap { SetParts.part(of: $0.name) })
        let areParted = parts.count > 1 || (parts.count == 1 && tables.count == 1)
        if areParted {
            split = try SetParts.choose(given, of: parts, told: "")
            if let split {
                for table in tables where SetParts.part(of: table.name) != split.rawValue {
                    unused[table.name] = "not of the \(split.rawValue) part"
                }
                tables.removeAll { SetParts.part(of: $0.name) != split.rawValue }
            }
        }
        guard Self.areApart(tables) else {
            throw Problem(
                .unprocessable, code: "manifests-ambiguous", title: "Several tables say the labels",
                detail:
                    "\(tables.map(\.name).joined(separator: ", ")) list files and labels, and nothing says which of "
                    + "them counts.", location: tables.first?.name,
                fix:
                    "Keep one of them; tables of parts are called train.csv and test.csv, and split=train or split=test chooses."
            )
        }
        let columns = tables.reduce(into: Set<String>()) { $0.formUnion($1.parts) }
        if !columns.isEmpty, tables.count == 1 {
            let chosen = try SetParts.choose(given, of: columns, told: "")
            if let chosen {
                tables[0].keep(part: chosen.rawValue)
                split = chosen
            }
        } else if !areParted {
            split = try SetParts.choose(
                given, of: [], told: "no column of the manifest says train and test, and there is one table")
        }
        return (tables, split, unused)
    }

    /// Whether each lies in a folder of its own, for the files in it.
    private static func areApart(_ tables: [Manifest]) -> Bool {
        let folders = tables.map(\.folder)
        guard tables.count > 1 else { return true }
        return Set(folders).count == folders.count
            && folders.allSatisfy { folder in folders.allSatisfy { $0 == folder || !$0.hasPrefix(folder) } }
    }
}
