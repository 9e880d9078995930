import Findings
import ImageCodecs
import Support
import WorkerProtocol

/// A WebDataset shard: the files of a sample follow one another and have one key. The label is `000017.cls`, or a field
/// `label`, `cls` or `class` of `000017.json`, or `000017.txt`, in this order.
final class WebDatasetSource: SampleSource {
    private static let maximumLabelBytes = 1 << 20

    private struct Image {
        var name: String
        var kind: String
        var content: SourceSample.Content
        var bytes: [UInt8]

        /// `png`, and not `v1.000.png`.
        var isPlain: Bool { !kind.contains(".") }
    }

    private enum LabelKind: Int {
        case text, field, number
    }

    private let entries: EntryStream
    /// In front of names: the shard's, where there are several.
    private let prefix: String
    /// The sample whose files are coming in.
    private var stem = ""
    private var image: Image?
    private var label: (kind: LabelKind, className: String, file: String)?
    private var isAtEnd = false

    var formatName: String { "webdataset/" + entries.source.formatName }
    var bytesRead: Int { entries.source.bytesRead }
    var bytesTotal: Int? { entries.source.bytesTotal }
    var expectedCount: Int? { entries.source.imageCount }
    var report: SourceReport { entries.report }

    init(_ entries: EntryStream, prefix: String = "") {
        self.entries = entries
        self.prefix = prefix
    }

    func check() throws {}

    func next(into bytes: inout [UInt8]) throws -> SourceSample? {
        while !isAtEnd {
            guard let path = try entries.next() else {
                isAtEnd = true
                return try finish(into: &bytes)
            }
            let (stem, kind) = WebDatasetKey.parts(path)
            if stem == self.stem {
                try take(path, kind)
                continue
            }
            let done = try finish(into: &bytes)
            self.stem = stem
            try take(path, kind)
            if let done { return done }
        }
        return nil
    }

    private func take(_ path: EntryPath, _ kind: String) throws {
        switch WebDatasetKey.lastExtension(kind) {
        case "cls": try take(.number, path, try text(path))
        case "json":
            guard let found = try labelField(path) else {
                return entries.report.skip(prefix + path.fullName, "has no field label, cls or class")
            }
            try take(.field, path, found)
        case "txt":
            // WebDataset calls captions so as well: beside another label it is one.
            guard label == nil || kind == "cls.txt" else {
                return entries.report.skip(prefix + path.fullName, "a text beside a label")
            }
            try take(kind == "cls.txt" ? .number : .text, path, try text(path))
        default:
            var bytes: [UInt8] = []
            guard let content = try entries.image(path, into: &bytes) else {
                return entries.report.skip(prefix + path.fullName, "neither an image nor a label")
            }
            try take(Image(name: path.fullName, kind: kind, content: content, bytes: bytes))
        }
    }

    /// Of several labels, the one of the highest kind.
    private func take(_ kind: LabelKind, _ path: EntryPath, _ text: String) throws {
        if let label, label.kind.rawValue >= kind.rawValue {
            return entries.report.skip(prefix + path.fullName, "another label of its sample")
        }
        if let label { entries.report.skip(prefix + label.file, "another label of its sample") }
        let key = try Labels.key(
            text, maximumClasses: entries.limits.maximumClasses, at: prefix + path.fullName)
        label = (kind, key, path.fullName)
    }

    /// Of several images, such as a picture and its mask, the one whose name is the key and an extension.
    private func take(_ new: Image) throws {
        guard let image else {
            self.image = new
            return
        }
        guard image.isPlain || new.isPlain else {
            throw Problem(
                .unprocessable, code: "sample-with-many-images", title: "Several images are one sample",
                detail:
                    "WebDataset's key ends at the first dot of a file's name, so that \(image.name) and \(new.name) "
                    + "are both of the sample “\(stem)”.", location: prefix + new.name,
                fix: "Rename the files, so that each image has a part of its own before the first dot: "
                    + "\(stem.replacing(".", with: "_"))_0001.png")
        }
        let other = image.isPlain ? new : image
        entries.report.skip(prefix + other.name, "another image of its sample")
        if !image.isPlain { self.image = new }
    }

    private func finish(into bytes: inout [UInt8]) throws -> SourceSample? {
        defer { (image, label) = (nil, nil) }
        guard let image else {
            if let label { entries.report.skip(prefix + label.file, "a label without an image") }
            return nil
        }
        guard let label else {
            throw Problem(
                .unprocessable, code: "sample-without-label", title: "A sample has no label",
                detail: "The image has neither a .cls nor a .txt nor a .json with a label beside it.",
                location: prefix + image.name,
                fix: "Write a .cls with the class's number for every image.")
        }
        bytes += image.bytes
        return SourceSample(
            name: prefix + image.name, className: label.className, content: image.content)
    }

    private func text(_ path: EntryPath) throws -> String {
        let bytes = try entries.contents(of: path, limit: Self.maximumLabelBytes)
        let text = String(decoding: bytes, as: UTF8.self).trimmingSpace()
        guard (1...255).contains(text.utf8.count) else {
            throw Labels.invalid("“\(text.prefix(40))” is no label.", prefix + path.fullName)
        }
        return text
    }

    private func labelField(_ path: EntryPath) throws -> String? {
        let bytes = try entries.contents(of: path, limit: Self.maximumLabelBytes)
        let document: JSONValue
        do { document = try StrictJSON.parse(bytes) } catch {
            throw Labels.invalid("The file is no JSON: \(error.description)", prefix + path.fullName)
        }
        for field in ["label", "cls", "class", "class_name"] {
            switch document[field] {
            case .int(let number): return String(number)
            case .double(let number): return "\(number)"
            case .string(let name) where !name.isEmpty: return name
            default: continue
            }
        }
        return nil
    }
}
