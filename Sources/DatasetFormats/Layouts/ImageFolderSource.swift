import Problems
import WorkerProtocol

/// Images in one folder per class.
final class ImageFolderSource: SampleSource {
    private let entries: EntryStream
    private var layout: ImageFolderLayout

    var formatName: String { "image-folder/" + entries.source.formatName }
    var bytesRead: Int { entries.source.bytesRead }
    var bytesTotal: Int? { entries.source.bytesTotal }
    var expectedCount: Int? { entries.source.imageCount }
    var report: SourceReport { entries.report }
    var foldersAreClasses: Bool { true }

    init(_ source: any EntrySource, limits: ImportLimits) {
        entries = EntryStream(source, limits: limits)
        layout = ImageFolderLayout(maximumClasses: limits.maximumClasses)
    }

    func next(into bytes: inout [UInt8]) throws -> SourceSample? {
        entries.folder = { [unowned self] in try layout.addFolder($0.components) }
        while let path = try entries.next() {
            guard let format = try entries.image(path, into: &bytes) else {
                try layout.addFolder(path.components.dropLast())
                entries.report.skip(path.name, "not an image")
                continue
            }
            return SourceSample(
                name: path.name, className: try layout.addImage(path), content: .encoded(format))
        }
        return nil
    }

    func check() throws { try layout.check() }
}
