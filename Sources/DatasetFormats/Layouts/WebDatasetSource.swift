import ClassOrder
import Problems
import StrictJSON
import WorkerProtocol

/// A WebDataset shard: the files of a sample follow one another and differ in what comes after the first dot:
/// `000017.jpg`, `000017.cls` (the label) or `000017.json` (with a field `label`, `cls` or `class`).
final class WebDatasetSource: SampleSource {
    private static let maximumLabelBytes = 1 << 20

    private let entries: EntryStream
    /// The sample whose files are coming in.
    private var stem = ""
    private var image: (name: String, format: ImageFormat, bytes: [UInt8])?
    private var className: String?
    private var isAtEnd = false

    var formatName: String { "webdataset/" + entries.source.formatName }
    var bytesRead: Int { entries.source.bytesRead }
    var bytesTotal: Int? { entries.source.bytesTotal }
    var expectedCount: Int? { entries.source.imageCount }
    var report: SourceReport { entries.report }

    init(_ source: any EntrySource, limits: ImportLimits) { entries = EntryStream(source, limits: limits) }

    func check() throws {}

    func next(into bytes: inout [UInt8]) throws -> SourceSample? {
        while !isAtEnd {
            guard let path = try entries.next() else {
                isAtEnd = true
                return try finish(into: &bytes)
            }
            let (stem, kind) = Self.parts(path)
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

    static func parts(_ path: EntryPath) -> (stem: String, kind: String) {
        let name = path.components.last ?? ""
        guard let dot = name.firstIndex(of: ".") else { return (path.name, "") }
        let folder = path.components.dropLast().map { $0 + "/" }.joined()
        return (folder + name[..<dot], name[name.index(after: dot)...].lowercased())
    }

    private func take(_ path: EntryPath, _ kind: String) throws {
        switch kind {
        case "cls", "cls.txt":
            className = try label(path, try entries.contents(of: path, limit: 1_024))
        case "json":
            if let found = try labelField(path) { className = className ?? found }
        default:
            guard image == nil else { return entries.report.skip(path.name, "a second image of its sample") }
            var bytes: [UInt8] = []
            guard let format = try entries.image(path, into: &bytes) else {
                return entries.report.skip(path.name, "neither an image nor a label")
            }
            image = (path.name, format, bytes)
        }
    }

    private func finish(into bytes: inout [UInt8]) throws -> SourceSample? {
        defer { (image, className) = (nil, nil) }
        guard let image else { return nil }
        guard let className else {
            throw Problem(
                .unprocessable, code: "sample-without-label", title: "A sample has no label",
                detail: "The image has neither a .cls nor a .json with a label beside it.",
                location: image.name,
                fix: "Write a .cls with the class's number for every image.")
        }
        bytes += image.bytes
        return SourceSample(name: image.name, className: className, content: .encoded(image.format))
    }

    private func label(_ path: EntryPath, _ bytes: [UInt8]) throws -> String {
        let text = String(decoding: bytes, as: UTF8.self).trimmingSpace()
        guard let label = Int(text), (0..<entries.limits.maximumClasses).contains(label) else {
            throw Labels.invalid("“\(text.prefix(40))” is no class number.", path.name)
        }
        return ClassNames.key(label)
    }

    private func labelField(_ path: EntryPath) throws -> String? {
        let bytes = try entries.contents(of: path, limit: Self.maximumLabelBytes)
        guard let document = try? StrictJSON.parse(bytes) else {
            throw Labels.invalid("The file is no JSON.", path.name)
        }
        for field in ["label", "cls", "class", "class_name"] {
            switch document[field] {
            case .int(let number): return try label(path, Array(String(number).utf8))
            case .string(let name) where !name.isEmpty: return name
            default: continue
            }
        }
        return nil
    }
}

/// What can be wrong with labels.
enum Labels {
    static func invalid(_ detail: String, _ place: String) -> Problem {
        Problem(
            .unprocessable, code: "label-invalid", title: "A label cannot be used", detail: detail,
            location: place, fix: "Labels are whole numbers from 0, or names of classes.")
    }

    static func counts(_ images: Int, _ labels: Int, _ place: String) -> Problem {
        Problem(
            .unprocessable, code: "label-count-mismatch", title: "There is not one label per image",
            detail: "There are \(images) images and \(labels) labels.", location: place)
    }
}
