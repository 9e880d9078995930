import ClassOrder
import Problems
import StrictJSON
import WorkerProtocol

/// Images anywhere in an archive, and a table that says their classes: `manifest.csv`, `metadata.jsonl` and
/// the like, with a column for the file and one for the label.
final class ManifestSource: SampleSource {
    static let fileNames: Set<String> = [
        "manifest.csv", "manifest.jsonl", "metadata.csv", "metadata.jsonl", "labels.csv", "annotations.csv",
    ]

    private let entries: EntryStream
    private let manifest: Manifest
    private var found: Set<String> = []

    var formatName: String { "manifest/" + entries.source.formatName }
    var bytesRead: Int { entries.source.bytesRead }
    var bytesTotal: Int? { entries.source.bytesTotal }
    var expectedCount: Int? { manifest.classes.count }
    var report: SourceReport { entries.report }

    init(_ source: any EntrySource, manifest: Manifest, limits: ImportLimits) {
        entries = EntryStream(source, limits: limits)
        self.manifest = manifest
    }

    func next(into bytes: inout [UInt8]) throws -> SourceSample? {
        while let path = try entries.next() {
            if path.name == manifest.name { continue }
            guard let className = manifest.classes[path.name] else {
                entries.report.skip(path.name, "not in the manifest")
                continue
            }
            guard let format = try entries.image(path, into: &bytes) else {
                throw ImportProblems.foreignImage(path.name)
            }
            found.insert(path.name)
            return SourceSample(name: path.name, className: className, content: .encoded(format))
        }
        return nil
    }

    func check() throws {
        guard found.count < manifest.classes.count,
            let missing = manifest.classes.keys.filter({ !found.contains($0) }).min()
        else { return }
        throw Problem(
            .unprocessable, code: "manifest-file-missing",
            title: "The manifest names a file that is not there",
            detail:
                "\(manifest.classes.count - found.count) of its \(manifest.classes.count) files are missing; "
                + "the first is “\(missing.prefix(200))”.", location: manifest.name,
            fix: "Paths are relative to the manifest's folder, or to the top of the archive.")
    }
}

/// The classes of files, by path.
struct Manifest {
    static let maximumBytes = 1 << 30
    private static let fileColumns = ["file_name", "filename", "file", "path", "image", "image_path"]
    private static let labelColumns = ["label", "class", "class_name", "target", "label_name", "category"]

    /// The manifest's own path.
    let name: String
    private(set) var classes: [String: String] = [:]

    init(_ bytes: [UInt8], path: EntryPath, limits: ImportLimits) throws {
        name = path.name
        let folder = path.components.dropLast().map { $0 + "/" }.joined()
        if name.hasSuffix(".csv") {
            try readCSV(bytes, folder, limits)
        } else {
            try readLines(bytes, folder, limits)
        }
        guard !classes.isEmpty else { throw problem("It lists no files.", line: 1) }
    }

    private func problem(_ detail: String, line: Int) -> Problem {
        Problem(
            .unprocessable, code: "manifest-invalid", title: "The manifest cannot be used", detail: detail,
            location: "\(name), line \(line)",
            fix:
                "A CSV has a header with the columns file_name and label; a JSONL has these fields in every line."
        )
    }

    private mutating func add(
        _ file: String, _ label: String, _ folder: String, _ line: Int, _ limits: ImportLimits
    )
        throws
    {
        let path = try EntryPath(folder + file)
        guard !label.isEmpty else { throw problem("“\(file.prefix(80))” has no label.", line: line) }
        guard classes.count < limits.maximumImages else {
            throw ImportProblems.tooMany("images", limits.maximumImages, name)
        }
        var key = label
        if let number = Int(label) {
            guard (0..<limits.maximumClasses).contains(number) else {
                throw problem(
                    "The label \(number) is not from 0 to \(limits.maximumClasses - 1).", line: line)
            }
            key = ClassNames.key(number)
        }
        guard classes.updateValue(key, forKey: path.name) == nil else {
            throw problem("“\(file.prefix(80))” is listed twice.", line: line)
        }
    }

    private mutating func readCSV(_ bytes: [UInt8], _ folder: String, _ limits: ImportLimits) throws {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw problem("It is not in UTF-8.", line: 1)
        }
        var reader = CSVReader(text)
        guard let header = reader.next()?.map({ $0.trimmingSpace().lowercased() }) else {
            throw problem("It is empty.", line: 1)
        }
        guard let file = Self.fileColumns.lazy.compactMap({ header.firstIndex(of: $0) }).first,
            let label = Self.labelColumns.lazy.compactMap({ header.firstIndex(of: $0) }).first
        else {
            throw problem(
                "Its columns are \(header.prefix(12).joined(separator: ", ")); one for the file ("
                    + Self.fileColumns.joined(separator: ", ") + ") and one for the label ("
                    + Self.labelColumns.joined(separator: ", ") + ") are needed.", line: 1)
        }
        while let row = reader.next() {
            if row == [""] { continue }
            guard row.count == header.count else {
                throw problem(
                    "It has \(row.count) fields; the header has \(header.count).", line: reader.line)
            }
            try add(row[file], row[label].trimmingSpace(), folder, reader.line, limits)
        }
        if reader.isCut { throw problem("A quoted field does not end.", line: reader.line) }
    }

    private mutating func readLines(_ bytes: [UInt8], _ folder: String, _ limits: ImportLimits) throws {
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
            switch Self.labelColumns.lazy.compactMap({ document[$0] }).first {
            case .string(let label): try add(file, label, folder, number, limits)
            case .int(let label): try add(file, String(label), folder, number, limits)
            default: throw problem("It has no field label.", line: number)
            }
        }
    }
}
