import Findings
import Support

/// The parts of a set, training and test, as files and folders are called.
enum SetParts {
    private static let words: [String: String] = [
        "train": "train", "training": "train", "trainset": "train", "test": "test", "testing": "test",
        "testset": "test",
        "t10k": "test", "val": "validation", "valid": "validation", "validation": "validation",
        "dev": "validation",
    ]

    /// The part that a word or the first word of a name is of: `train-00000-of-00002.parquet`, `test_labels.csv`.
    static func part(ofComponent name: some StringProtocol) -> String? {
        let lower = name.lowercased()
        if lower.hasPrefix("t10k") { return "test" }
        return words[String(lower.prefix { $0.isLetter })]
    }

    /// By the file's name or its folder's.
    static func part(of path: String) -> String? {
        path.split(separator: "/").suffix(2).reversed().lazy.compactMap { part(ofComponent: $0) }.first
    }

    /// Whether a folder is called exactly as a part is.
    static func isPart(_ component: String) -> Bool { words[component.lowercased()] != nil }

    /// The part to be read.
    /// - Parameters:
    ///   - parts: that the set has; empty where it has none.
    ///   - place: by what parts would be told.
    /// - Throws: `Problem` where the option has no effect, or the part is missing.
    static func choose(_ given: ImportOptions.Split?, of parts: Set<String>, told place: String) throws
        -> ImportOptions.Split?
    {
        guard !parts.isEmpty else {
            if let given {
                throw withoutEffect("split=\(given.rawValue)", "split", "The set has no parts: \(place).")
            }
            return nil
        }
        // A set of one part is read whole, whatever it is called.
        if given == nil, parts.count == 1 { return nil }
        let wanted = given ?? .train
        guard parts.contains(wanted.rawValue) else {
            let asked =
                given.map { "split=\($0.rawValue) was given" }
                ?? "The train part is read unless split says otherwise"
            throw Problem(
                .unprocessable, code: "split-missing", title: "The set does not have this part",
                detail: "\(asked); the set has \(parts.sorted().joined(separator: ", ")).",
                location: "split",
                fix:
                    "Import with split=\(parts.sorted().joined(separator: " or split=")) (--split), or pack the part that "
                    + "is to be read alone.")
        }
        return wanted
    }

    static func withoutEffect(_ option: String, _ location: String, _ detail: String) -> Problem {
        Problem(
            .unprocessable, code: "option-without-effect", title: "An option has no effect on this set",
            detail: "\(option) was given. \(detail)", location: location, fix: "Leave the option out.")
    }
}

/// Folders that are called as places for images are, and not as classes.
enum StoragePlaces {
    private static let words: Set<String> = [
        "image", "images", "img", "imgs", "pic", "pics", "picture", "pictures", "photo", "photos", "jpg",
        "jpeg", "jpegs",
        "jpegimages", "png", "pngs", "data", "dataset", "datasets", "file", "files", "folder", "folders",
        "dir", "part",
        "parts", "batch", "batches", "chunk", "chunks", "shard", "shards", "fold", "folds", "split", "splits",
        "set",
        "sets", "subset", "raw", "input", "inputs", "mask", "masks", "label", "labels", "annotation",
        "annotations",
        "caption", "captions", "metadata", "meta", "doc", "docs", "misc", "other", "train", "training",
        "test", "testing",
        "val", "valid", "validation", "dev",
    ]

    /// What may lie beside class folders and is none: a folder of these without images is no empty class.
    static let besides: Set<String> = [
        "annotation", "annotations", "caption", "captions", "doc", "docs", "label", "labels", "mask", "masks",
        "meta",
        "metadata",
    ]

    /// `imgs1`, `images_02`, `part-3`, `train`.
    static func contains(_ folder: String) -> Bool {
        var name = Substring(folder.lowercased())
        while let last = name.last, last.isNumber || "_- .".contains(last) { name.removeLast() }
        return words.contains(String(name))
    }
}
