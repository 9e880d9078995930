import Support

/// Which columns of a Parquet file hold the images and the labels, and the classes' names: as Hugging Face's
/// metadata says it, or else by the columns' names and types.
struct ParquetColumns: Hashable {
    let image: Int
    let label: Int
    /// From label 0 on; empty where nothing says them.
    let classNames: [String]
    /// Of pixels that lie in one flat list.
    let shape: [Int]?
    /// For a comparison of shards.
    let imageName: String
    let labelName: String

    private static let imageNames = ["image", "img", "images", "pixels", "pixel_values", "data", "x"]
    private static let labelNames = [
        "label", "labels", "fine_label", "class", "target", "targets", "class_name", "label_name", "y",
    ]
    private static let maximumMetadata = 16 << 20

    /// - Throws: `Problem` `parquet-columns`, which lists the columns.
    init(_ file: ParquetFile) throws {
        let features = Self.features(file)
        func named(
            _ names: [String], _ fits: (ParquetFile.Column) -> Bool, alone: (ParquetFile.Column) -> Bool
        ) -> Int? {
            for name in names {
                let found = file.columns.indices.filter { index in
                    file.columns[index].name.lowercased() == name && fits(file.columns[index])
                }
                if let first = found.first { return first }
            }
            // A name that is not known, where there is no choice.
            let fitting = file.columns.indices.filter { alone(file.columns[$0]) }
            return fitting.count == 1 ? fitting[0] : nil
        }
        func ofFeature(_ type: String, _ names: [String], _ fits: (ParquetFile.Column) -> Bool) -> Int? {
            let typed = file.columns.indices.filter { index in
                fits(file.columns[index]) && features?[file.columns[index].name]?["_type"] == .string(type)
            }
            let known = typed.filter { names.contains(file.columns[$0].name.lowercased()) }
            return typed.count == 1 ? typed[0] : known.first
        }
        let isImage: (ParquetFile.Column) -> Bool = { $0.kind == .files || $0.kind == .pixels }
        let isLabel: (ParquetFile.Column) -> Bool = { $0.kind == .number || $0.kind == .text }
        // Numbers with a point are labels by their column's name alone.
        let isNamedLabel: (ParquetFile.Column) -> Bool = { isLabel($0) || $0.kind == .real }
        let image =
            ofFeature("Image", Self.imageNames, isImage) ?? named(Self.imageNames, isImage, alone: isImage)
        let label =
            ofFeature("ClassLabel", Self.labelNames, isLabel)
            ?? named(Self.labelNames, isNamedLabel, alone: isLabel)
        guard let image, let label else {
            throw Self.missing(image == nil ? "images" : "labels", file)
        }
        self.image = image
        self.label = label
        imageName = file.columns[image].name
        labelName = file.columns[label].name
        let names: [String]? =
            if case .array(let items)? = features?[labelName]?["names"] {
                items.compactMap { if case .string(let name) = $0 { name } else { nil } }
            } else { nil }
        classNames = names ?? []
        let shape: [Int]? =
            if case .array(let items)? = features?[imageName]?["shape"] {
                items.compactMap { if case .int(let size) = $0 { Int(widened: size) } else { nil } }
            } else { nil }
        self.shape = shape
    }

    /// Hugging Face's `{"info": {"features": {…}}}`; nil where it is missing or not of that form.
    private static func features(_ file: ParquetFile) -> JSONValue? {
        guard let text = file.metadata("huggingface"), text.count <= maximumMetadata else { return nil }
        return (try? StrictJSON.parse(text))?["info"]?["features"]
    }

    private static func missing(_ what: String, _ file: ParquetFile) -> Problem {
        let shown = file.columns.prefix(12).map { "\($0.name.prefix(40)): \($0.type.prefix(60))" }
        let wanted =
            what == "images"
            ? "a column image of image files (binary, or a struct with a field bytes) or of nested lists of uint8"
            : "a column label of whole numbers or names"
        return Problem(
            .unprocessable, code: "parquet-columns",
            title: "The Parquet file's column of \(what) is not found",
            detail: "Its columns are \(shown.joined(separator: ", "))"
                + (file.columns.count > 12 ? ", …" : "") + "; needed is \(wanted).",
            location: file.name,
            fix: what == "images"
                ? "Call the column image: table.rename_columns([…])"
                : "Call the column label; a set without labels cannot be used.")
    }
}
