import Findings
import Support

/// A file beside the images that says the classes' names, their order, or both.
struct OrderFile {
    private static let names: Set<String> = [
        "classes", "class_names", "classnames", "labels", "label_names", "class_index",
        "imagenet_class_index", "id2label",
        "label_map", "labelmap", "synset_words", "synsets", "words", "categories", "config",
    ]
    private static let extensions: Set<String> = ["txt", "json", "csv", "tsv", "names"]

    let name: String
    /// Nil where the file cannot be read as an order of classes.
    let order: OutputNames?
    /// Names of folders as people know them: `{"n02123045": "cat"}`.
    let aliases: [String: String]
    /// Why it is neither.
    let fault: String?

    static func isName(_ name: String) -> Bool {
        let parts = name.lowercased().split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && names.contains(String(parts[0])) && extensions.contains(String(parts[1]))
    }

    /// - Parameter head: the first bytes, which were read already.
    init(_ path: EntryPath, head: [UInt8], _ entries: EntryStream) throws {
        name = path.name
        var bytes = head
        if head.count == Manifest.headBytes {
            try entries.source.read(into: &bytes, limit: OutputNames.maximumBytes + 1 - head.count)
        }
        do {
            order = try OutputNames(file: bytes)
            (aliases, fault) = ([:], nil)
        } catch {
            order = nil
            aliases = ClassNames.aliases(bytes)
            fault = aliases.isEmpty ? error.detail : nil
        }
    }
}
