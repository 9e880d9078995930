import ImageCodecs
import Support
import WorkerProtocol

/// Images anywhere in an archive, and tables that say their classes: `manifest.csv`, `metadata.jsonl` and the like,
/// with a column for the file and one for the label.
final class ManifestSource: SampleSource {
    private let entries: EntryStream
    private let manifests: [Manifest]
    private let classes: [String: String]
    /// Files are told by their name alone: no path in the tables has a folder.
    private let areBare: Bool
    private var found: Set<String> = []

    var formatName: String { "manifest/" + entries.source.formatName }
    var bytesRead: Int { entries.source.bytesRead }
    var bytesTotal: Int? { entries.source.bytesTotal }
    var expectedCount: Int? { classes.count }
    var report: SourceReport { entries.report }

    init(_ entries: EntryStream, manifests: [Manifest], limits: ImportLimits) throws {
        self.entries = entries
        self.manifests = manifests
        classes = try Manifest.classes(manifests, limits: limits)
        areBare = manifests.count == 1 && manifests[0].rows.allSatisfy { !$0.file.contains("/") }
    }

    func next(into bytes: inout [UInt8]) throws -> SourceSample? {
        while let path = try entries.next() {
            guard let file = listed(path), let className = classes[file] else {
                entries.report.skip(path.name, "not in the manifest")
                continue
            }
            let content =
                try entries.image(path, into: &bytes)
                ?? .damaged("by its content the file is no \(ImageFormat.names) image")
            guard found.insert(file).inserted else {
                throw Problem(
                    .unprocessable, code: "manifest-ambiguous",
                    title: "A row of the manifest fits several files",
                    detail: "“\(file.prefix(200))” is this file, and one before it.", location: path.name,
                    fix:
                        "Write paths with folders into the manifest, such as train/\(path.components.last ?? "")."
                )
            }
            return SourceSample(name: path.fullName, className: className, content: content)
        }
        return nil
    }

    /// The path under which the tables list a file: as they have it relative to their folder, relative to the top, or
    /// by its name alone.
    private func listed(_ path: EntryPath) -> String? {
        if classes[path.name] != nil { return path.name }
        for manifest in manifests where !manifest.folder.isEmpty {
            let file = manifest.folder + path.name
            if classes[file] != nil { return file }
        }
        guard areBare, let manifest = manifests.first, let name = path.components.last else { return nil }
        let file = manifest.folder + name
        return classes[file] == nil ? nil : file
    }

    func check() throws {
        guard found.count < classes.count,
            let missing = classes.keys.filter({ !found.contains($0) }).min()
        else { return }
        throw Problem(
            .unprocessable, code: "manifest-file-missing",
            title: "The manifest names a file that is not there",
            detail:
                "\(classes.count - found.count) of its \(classes.count) files are missing; "
                + "the first is “\(missing.prefix(200))”.",
            location: manifests.map(\.name).joined(separator: ", "),
            fix:
                "Paths are relative to the manifest's folder, or to the top of the archive; names without a folder may "
                + "be anywhere.")
    }
}
