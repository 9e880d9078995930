import Findings
import Support

/// The files of a packed data set: a folder that is complete exactly when `manifest.json` is there.
///
/// | file          | contents                                                              |
/// |---------------|-----------------------------------------------------------------------|
/// | images.u8     | N x H x W x C bytes, sample after sample                              |
/// | labels.i32    | N little-endian Int32, indices into the sorted class names            |
/// | names.u8      | the samples' names, UTF-8, one after the other                        |
/// | offsets.u64   | N + 1 little-endian UInt64: where each name starts, and the end       |
/// | manifest.json | layout version and `DatasetSummary`; written last, by a rename        |
enum PackedLayout {
    static let version = 1
    static let images = "images.u8"
    static let labels = "labels.i32"
    static let names = "names.u8"
    static let offsets = "offsets.u64"
    static let manifest = "manifest.json"

    static let dataFiles = [images, labels, names, offsets]

    struct Manifest: Codable {
        var layoutVersion: Int
        var summary: DatasetSummary

        enum CodingKeys: String, CodingKey {
            case summary
            case layoutVersion = "layout_version"
        }
    }

    static func damaged(_ directory: String, _ detail: String) -> Problem {
        Problem(
            .internal, code: "packed-dataset-damaged", title: "The packed data set is damaged",
            detail: detail, location: directory, fix: "Import the data set again.")
    }
}

extension Sequence where Element == String {
    /// In order of the names' UTF-8 bytes, which is the order of their code points: what `sorted()` gives
    /// in Python, and so the class order of the usual image-folder loaders.
    public func sortedByCodePoint() -> [String] {
        sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
