import Containers
import Support

/// The layout of a `.pt2` archive (torch/export/pt2_archive, PyTorch 2.8 and newer): which entries matter.
/// Nothing else may be in it, and nothing that runs code where PyTorch loads it (`SafeToLoad`).
struct PT2Archive {
    let zip: ZipArchive
    let limits: ModelLimits
    /// All entries lie below this folder.
    private let root: String
    /// The name the program was saved under, mostly `model`.
    private let model: String

    init(_ zip: ZipArchive, limits: ModelLimits) throws {
        self.zip = zip
        self.limits = limits
        guard let root = zip.entries.first?.name.split(separator: "/").first.map(String.init),
            zip.entries.allSatisfy({ $0.name.hasPrefix(root + "/") })
        else { throw ModelFault.archive.problem("The entries do not lie in one folder.") }
        self.root = root
        let prefix = root + "/models/"
        let programs = zip.entries.map(\.name).filter { $0.hasPrefix(prefix) && $0.hasSuffix(".json") }
        guard programs.count == 1 else {
            throw ModelFault.archive.problem(
                "There are \(programs.count) programs (models/*.json) in it, and not exactly one.")
        }
        model = String(programs[0].dropFirst(prefix.count).dropLast(".json".count))
        try checkMarks()
        for folder in ["weights", "constants"] where zip["\(root)/data/\(folder)/\(model).pt"] != nil {
            throw ModelFault.pickled.problem(
                "An older layout keeps the \(folder) in one pickled file.",
                at: "\(root)/data/\(folder)/\(model).pt")
        }
        try checkIsSafeToLoad()
    }

    /// The pickled sample inputs; nil where there are none.
    var sampleInputs: ZipEntry? { zip["\(root)/data/sample_inputs/\(model).pt"] }

    private func checkIsSafeToLoad() throws {
        try TorchEntries.checkExported(zip, root: root + "/", model: model)
        if let sampleInputs { try SampleInputs.check(sampleInputs, in: zip) }
    }

    private func checkMarks() throws {
        guard try text("archive_format") == "pt2" else {
            throw ModelFault.archive.problem("archive_format is not “pt2”.", at: "\(root)/archive_format")
        }
        if let version = try text("archive_version"), version != "0" {
            throw ModelFault.version.problem(
                "The archive's version is “\(version.prefix(20))”, and only 0 is known.",
                at: "\(root)/archive_version")
        }
        if let order = try text("byteorder"), order != "little" {
            throw ModelFault.version.problem(
                "The byte order is “\(order.prefix(20))”, and only little is supported.",
                at: "\(root)/byteorder")
        }
    }

    /// A short entry of plain text; nil where it is absent.
    private func text(_ name: String) throws -> String? {
        guard let entry = zip["\(root)/\(name)"] else { return nil }
        let bytes = try zip.contents(of: entry, limit: 1_024)
        var text = String(decoding: bytes, as: UTF8.self)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    /// The files that were saved along (`extra_files`), as far as they are texts that may name classes.
    func metadata() -> [String: String] {
        let folder = root + "/extra/"
        var texts: [String: String] = [:]
        for entry in zip.entries where entry.name.hasPrefix(folder) && texts.count < 64 {
            // Nothing depends on them: one that can't be read names nothing.
            guard let bytes = try? zip.contents(of: entry, limit: OutputNameEntries.maximumBytes) else {
                continue
            }
            texts[String(entry.name.dropFirst(folder.count))] = String(validating: bytes, as: UTF8.self)
        }
        return texts
    }

    private func document(_ name: String) throws -> JSONNode {
        guard let entry = zip["\(root)/\(name)"] else {
            throw ModelFault.archive.problem("The entry is missing.", at: "\(root)/\(name)")
        }
        let bytes = try zip.contents(of: entry, limit: limits.maximumJSONBytes)
        // Python writes numbers that are not finite without quotes.
        return try JSONNode(
            parsing: bytes, name: entry.name,
            limits: JSONLimits(
                maximumDepth: limits.maximumJSONDepth, maximumBytes: limits.maximumJSONBytes,
                maximumValues: 3_000_000, allowsNonFinite: true),
            report: { ModelFault.document.problem($0, at: $1) })
    }

    func program() throws -> JSONNode {
        let program = try document("models/\(model).json")
        try EvaluatedText.check(program)
        return program
    }

    func weightTable() throws -> JSONNode { try document("data/weights/\(model)_weights_config.json") }

    func constantTable() throws -> JSONNode { try document("data/constants/\(model)_constants_config.json") }

    /// The entry of a weight's or constant's bytes.
    func payload(_ folder: String, _ name: String, at place: JSONNode.Place) throws -> ZipEntry {
        guard !name.contains("/"), let entry = zip["\(root)/data/\(folder)/\(name)"] else {
            throw ModelFault.weights.problem(
                "The archive has no entry “\(root)/data/\(folder)/\(name.prefix(80))”.", at: place.text)
        }
        return entry
    }
}
