import Findings
import Support

/// The ways in which a set can be read.
struct LayoutReadings {
    struct Reading {
        var layout: ImportOptions.Layout
        var sentence: String
    }

    let survey: SetSurvey
    let shape: FolderShape
    let tables: ManifestTables

    private var folders: Reading {
        let count =
            shape.partFolders.isEmpty
            ? "" : " in each of \(shape.partFolders.keys.sorted().joined(separator: ", "))"
        return Reading(
            layout: .folders,
            sentence: shape.classes.isEmpty
                ? "Folders are the classes."
                : "The folders \(shape.shown)\(count) are the classes"
                    + (shape.nesting == nil ? "." : ", with what lies in the folders below them."))
    }

    private var leafFolders: Reading {
        Reading(
            layout: .leafFolders,
            sentence:
                "The folders that hold the images, \(shape.leavesShown), are the classes, whatever lies above."
        )
    }

    private var manifest: Reading {
        let names = tables.usable.map(\.name)
        let shown = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
        return Reading(
            layout: .manifest,
            sentence: "\(shown) \(names.count > 1 ? "say" : "says") the labels of "
                + "\(tables.usable.reduce(0) { $0 + $1.rows.count }) files.")
    }

    private var webdataset: Reading {
        survey.shards.isEmpty || survey.imageCount > 0
            ? Reading(
                layout: .webdataset,
                sentence:
                    "\(survey.samples.withLabel) of \(survey.samples.count) images have a file of the same name "
                    + "beside them that may be the label (.cls, .json, .txt).")
            : Reading(layout: .webdataset, sentence: "It is of \(survey.shards.count) WebDataset shards.")
    }

    /// Containers of many images each.
    private var containers: [Reading] {
        var found: [Reading] = []
        if !survey.arrays.isEmpty || survey.idx.contains(where: { IDXArchive.isImages($0) }) {
            found.append(Reading(layout: .arrays, sentence: "It is of arrays (\(arraysShown))."))
        }
        if !survey.cifar.isEmpty {
            found.append(
                Reading(layout: .cifar, sentence: "It is of CIFAR's files (\(Self.shown(survey.cifar)))."))
        }
        if !survey.parquet.isEmpty {
            found.append(
                Reading(layout: .parquet, sentence: "It is of \(survey.parquet.count) Parquet files."))
        }
        if !survey.shards.isEmpty, survey.imageCount == 0 { found.append(webdataset) }
        return found
    }

    private var arraysShown: String { Self.shown(survey.arrays + survey.idx) }

    private static func shown(_ names: [String]) -> String {
        names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
    }

    /// The only way in which it can be read.
    /// - Throws: `Problem` `layout-ambiguous`, which names the ways.
    func only() throws -> Reading {
        let fitting = try fitting()
        guard let first = fitting.first else { return try none() }
        guard fitting.count > 1 else { return first }
        throw Problem(
            .unprocessable, code: "layout-ambiguous", title: "The set can be read in several ways",
            detail: fitting.map { "\($0.layout.rawValue): \($0.sentence)" }.joined(separator: " "),
            location: "layout",
            fix: "Say which: import with "
                + fitting.map { "layout=\($0.layout.rawValue)" }.joined(separator: " or ") + ".")
    }

    private func fitting() throws -> [Reading] {
        // A file of a number is a label by its name; texts and JSON may be annotations of any kind.
        let areLabelled = survey.samples.withNumber > 0 && survey.samples.withNumber == survey.samples.count
        var fitting: [Reading] = []
        if !tables.usable.isEmpty { fitting.append(manifest) }
        if shape.fits, !tables.agreesWithFolders { fitting.append(folders) }
        if shape.leavesFit, !tables.agreesWithFolders { fitting.append(leafFolders) }
        if areLabelled || (fitting.isEmpty && survey.samples.withLabel > 0) { fitting.append(webdataset) }
        if fitting.isEmpty || survey.imageCount == 0 { fitting += containers }
        return fitting
    }

    /// Where no reading fits, folders say best what is wrong with an image.
    private func none() throws -> Reading {
        if let fault = tables.namedFault { throw fault }
        guard shape.isUniform, shape.isStorage, shape.classes.count > 1 else { return folders }
        throw Problem(
            .unprocessable, code: "layout-ambiguous", title: "The set can be read in several ways",
            detail:
                "The folders \(shape.shown) are called as parts of one collection are; nothing says the labels of "
                + "their images. They may be the classes (layout=folders), or a table of the labels may be missing "
                + "(layout=manifest).", location: "layout",
            fix:
                "Pack a labels.csv with the columns file_name and label beside them; if the folders are the classes, "
                + "import with layout=folders.")
    }

    /// The reading that was asked for.
    /// - Throws: `Problem` `layout-not-found`, or what is wrong with a manifest.
    func required(_ layout: ImportOptions.Layout) throws -> Reading {
        switch layout {
        case .folders where survey.imageCount > 0 || containers.isEmpty: return folders
        case .leafFolders where shape.nesting != nil: return leafFolders
        case .manifest where !tables.usable.isEmpty: return manifest
        case .manifest: if let fault = tables.namedFault { throw fault }
        case .webdataset where survey.samples.withLabel > 0: return webdataset
        default: if let found = containers.first(where: { $0.layout == layout }) { return found }
        }
        throw Self.notFound(layout, "", fitting: (try? fitting())?.map(\.layout) ?? [])
    }

    /// - Parameter fitting: layouts that are there.
    static func notFound(
        _ layout: ImportOptions.Layout, _ detail: String, fitting: [ImportOptions.Layout]
    ) -> Problem {
        let missing =
            switch layout {
            case .folders: "no folders with images are there"
            case .leafFolders: "no folders lie below others with images in them"
            case .manifest: "no table with columns for a file and its label is there"
            case .webdataset: "no shard, and no image with a .cls, .json or .txt beside it is there"
            case .parquet: "no Parquet file is there"
            case .cifar: "no file is called as CIFAR's are (data_batch_1, train, test_batch)"
            case .arrays: "no arrays (.npy in a zip, IDX, safetensors) are there"
            }
        return Problem(
            .unprocessable, code: "layout-not-found", title: "The set is not laid out like this",
            detail: "layout=\(layout.rawValue) was given; \(missing)." + (detail.isEmpty ? "" : " " + detail),
            location: "layout",
            fix: fitting.isEmpty
                ? "Leave the option out."
                : "What fits: layout=\(fitting.map(\.rawValue).joined(separator: ", layout="))."
        )
    }
}
