import Findings
import Support
import WorkerProtocol

/// A table that may say the labels of files, as it was found.
struct ManifestCandidate {
    static let fileNames: Set<String> = [
        "manifest.csv", "manifest.jsonl", "metadata.csv", "metadata.jsonl", "labels.csv", "annotations.csv",
        "manifest.tsv", "metadata.tsv", "labels.tsv", "annotations.tsv", "labels.jsonl", "annotations.jsonl",
    ]

    let path: EntryPath
    let bytes: [UInt8]

    /// Whether the table is one by its name, and not by its columns alone.
    var isNamed: Bool { path.components.last.map(Self.fileNames.contains) == true }

    static func isName(_ name: String) -> Bool {
        let lower = name.lowercased()
        return lower.hasSuffix(".csv") || lower.hasSuffix(".tsv") || lower.hasSuffix(".jsonl")
    }

    /// - Parameter head: the first bytes, which were read already.
    init(_ path: EntryPath, head: [UInt8], _ entries: EntryStream) throws {
        self.path = path
        var bytes = head
        if head.count == Manifest.headBytes {
            try entries.source.read(into: &bytes, limit: Manifest.maximumBytes - head.count + 1)
        }
        guard bytes.count <= Manifest.maximumBytes else {
            throw ImportProblems.entryTooLarge(path.name, Manifest.maximumBytes)
        }
        self.bytes = bytes
    }
}

/// The labels of files.
struct Manifest {
    struct Row {
        /// Relative to the manifest's folder, or to the top.
        var file: String
        var label: String
        /// As a column says it: train, test or validation.
        var part: String?
        var line: Int
    }

    static let maximumBytes = 1 << 30
    /// By which a table is known.
    static let headBytes = 1 << 16
    private static let fileColumns = [
        "file_name", "filename", "file", "path", "image", "image_path", "filepath", "file_path", "filepaths",
        "image_name",
        "image_file", "img_path", "img",
    ]
    private static let labelColumns = [
        "label", "class", "class_name", "target", "label_name", "category", "labels", "class_id", "classid",
        "label_id",
    ]
    private static let partColumns = ["split", "subset", "partition", "data_set", "dataset"]

    /// The manifest's own path.
    let name: String
    /// That the files' paths are relative to; empty for the top.
    let folder: String
    private(set) var rows: [Row] = []
    /// What was chosen among columns.
    private(set) var note: String?

    init(_ bytes: [UInt8], path: EntryPath, limits: ImportLimits) throws {
        name = path.name
        folder = path.components.dropLast().map { $0 + "/" }.joined()
        let lower = name.lowercased()
        if lower.hasSuffix(".jsonl") {
            try readLines(bytes, limits)
        } else {
            try readTable(bytes, lower.hasSuffix(".tsv") ? "\t" : ",", limits)
        }
        guard !rows.isEmpty else { throw problem("It lists no files.", line: 1) }
        // A column of another meaning that happens to have such a name.
        if rows.contains(where: { $0.part == nil }) { for index in rows.indices { rows[index].part = nil } }
    }

    /// The parts that a column names.
    var parts: Set<String> { Set(rows.compactMap(\.part)) }

    /// Keeps the rows of one part.
    mutating func keep(part: String) { rows.removeAll { $0.part != part } }

    /// Whether the first line of a table has a column for the file and one for the label.
    static func hasColumns(_ bytes: [UInt8], isCSV: Bool) -> Bool {
        let line = bytes.prefix { $0 != 0x0A && $0 != 0x0D }
        if !isCSV {
            // What is no JSON is no manifest.
            guard let document = try? StrictJSON.parse(Array(line)) else { return false }
            return fileColumns.contains { document[$0] != nil }
                && labelColumns.contains { document[$0] != nil }
        }
        let text = String(decoding: line, as: UTF8.self)
        var reader = CSVReader(text, separator: text.contains("\t") ? "\t" : ",")
        let header = header(&reader) ?? []
        return fileColumns.contains(where: header.contains) && labelColumns.contains(where: header.contains)
    }

    /// - Parameter fix: nil where the form of the table is at fault.
    func problem(_ detail: String, line: Int, fix: String? = nil) -> Problem {
        Problem(
            .unprocessable, code: "manifest-invalid", title: "The manifest cannot be used", detail: detail,
            location: "\(name), line \(line)",
            fix: fix
                ?? "Write a CSV with a header that has the columns file_name and label, or a JSONL with these fields in "
                + "every line."
        )
    }

    private static func header(_ reader: inout CSVReader) -> [String]? {
        reader.next()?.map { $0.trimmingSpace().lowercased().replacing(" ", with: "_") }
    }

    private mutating func add(
        _ file: String, _ label: String, _ part: String?, _ line: Int, _ limits: ImportLimits
    )
        throws
    {
        guard !label.isEmpty else {
            throw problem(
                "“\(file.prefix(80))” has no label.", line: line,
                fix: "Write its label into this line, or leave the line out.")
        }
        guard rows.count < limits.maximumImages else {
            throw ImportProblems.tooMany("images", limits.maximumImages, name)
        }
        rows.append(
            Row(
                file: try EntryPath(file).name, label: label,
                part: part.flatMap { SetParts.part(ofComponent: $0) },
                line: line))
    }

    private mutating func readTable(_ bytes: [UInt8], _ separator: Unicode.Scalar, _ limits: ImportLimits)
        throws
    {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw problem("It is not in UTF-8.", line: 1, fix: "Save it in UTF-8.")
        }
        var reader = CSVReader(text, separator: separator)
        guard let header = Self.header(&reader) else { throw problem("It is empty.", line: 1) }
        let labels = Self.labelColumns.filter(header.contains)
        guard let file = Self.fileColumns.lazy.compactMap({ header.firstIndex(of: $0) }).first,
            let chosen = labels.first, let label = header.firstIndex(of: chosen)
        else {
            throw problem(
                "Its columns are \(header.prefix(12).joined(separator: ", ")); one for the file ("
                    + Self.fileColumns.joined(separator: ", ") + ") and one for the label ("
                    + Self.labelColumns.joined(separator: ", ") + ") are needed.", line: 1)
        }
        note = Self.note(chosen, labels, name)
        let part = Self.partColumns.lazy.compactMap { header.firstIndex(of: $0) }.first
        while let row = reader.next() {
            if row == [""] { continue }
            guard row.count == header.count else {
                throw problem(
                    "It has \(row.count) fields; the header has \(header.count).", line: reader.line,
                    fix:
                        "Write as many fields as the header has; put quotation marks around those with a comma."
                )
            }
            try add(row[file], row[label].trimmingSpace(), part.map { row[$0] }, reader.line, limits)
        }
        if reader.isCut {
            throw problem(
                "A quoted field does not end.", line: reader.line,
                fix: "Close the quotation marks, and double those within a field.")
        }
    }

    private mutating func readLines(_ bytes: [UInt8], _ limits: ImportLimits) throws {
        var number = 0
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
            let document: JSONValue
            do { document = try StrictJSON.parse(Array(line)) } catch {
                throw problem(error.description, line: number)
            }
            guard case .string(let file)? = Self.fileColumns.lazy.compactMap({ document[$0] }).first else {
                throw problem("It has no field file_name.", line: number)
            }
            let labels = Self.labelColumns.filter { document[$0] != nil }
            let label: String
            switch labels.first.flatMap({ document[$0] }) {
            case .string(let text): label = text
            case .int(let value): label = String(value)
            case .double(let value): label = "\(value)"
            default: throw problem("It has no field label.", line: number)
            }
            if note == nil, let chosen = labels.first { note = Self.note(chosen, labels, name) }
            let part: String? =
                if case .string(let text)? = Self.partColumns.lazy.compactMap({ document[$0] }).first {
                    text
                } else { nil }
            try add(file, label, part, number, limits)
        }
    }

    private static func note(_ chosen: String, _ labels: [String], _ name: String) -> String? {
        guard labels.count > 1 else { return nil }
        return "Of the columns \(labels.joined(separator: ", ")) of \(name), \(chosen) is the label."
    }
}

extension Manifest {
    /// The class of each file by path. Labels that are all numbers are numbers.
    /// - Parameter manifests: each of a folder of its own.
    static func classes(_ manifests: [Manifest], limits: ImportLimits) throws -> [String: String] {
        var classes: [String: String] = [:]
        var seen: Set<String> = []
        let areNumbers = manifests.allSatisfy { $0.rows.allSatisfy { Double($0.label) != nil } }
        for manifest in manifests {
            for row in manifest.rows {
                let place = "\(manifest.name), line \(row.line)"
                let key: String
                if areNumbers {
                    key = try Labels.key(row.label, maximumClasses: limits.maximumClasses, at: place)
                } else {
                    key = row.label
                    guard key.utf8.count <= 255,
                        key.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
                    else {
                        throw Labels.invalid(
                            "“\(Labels.shown(row.label))” is none: a name has 1 to 255 bytes and no control characters.",
                            place)
                    }
                }
                guard classes.updateValue(key, forKey: manifest.folder + row.file) == nil else {
                    throw manifest.problem(
                        "“\(row.file.prefix(80))” is listed twice.", line: row.line,
                        fix: "Keep one line for each file.")
                }
                if seen.insert(key).inserted, seen.count > limits.maximumClasses {
                    throw ImportProblems.tooMany("classes", limits.maximumClasses, place)
                }
            }
        }
        return classes
    }

    /// Whether each file's folder is its class, as far as the paths in the table say it.
    var agreesWithFolders: Bool {
        var labels: [Substring: String] = [:]
        var folders: [String: Substring] = [:]
        for row in rows {
            guard let folder = row.file.split(separator: "/").dropLast().last else { return false }
            if labels.updateValue(row.label, forKey: folder).map({ $0 != row.label }) == true { return false }
            if folders.updateValue(folder, forKey: row.label).map({ $0 != folder }) == true { return false }
        }
        return true
    }
}
