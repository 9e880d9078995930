import Findings
import Support
import WorkerProtocol

/// Images in one folder per class.
final class ImageFolderSource: SampleSource {
    private let entries: EntryStream
    private var layout: ImageFolderLayout
    /// Folders of the other parts, as paths with a slash at the end.
    private let others: [String]
    /// Whether folders are called by the numbers of classes.
    private let areNumbers: Bool

    var formatName: String { "image-folder/" + entries.source.formatName }
    var bytesRead: Int { entries.source.bytesRead }
    var bytesTotal: Int? { entries.source.bytesTotal }
    var expectedCount: Int? { others.isEmpty ? entries.source.imageCount : nil }
    var report: SourceReport { entries.report }
    var foldersAreClasses: Bool { !areNumbers }
    var emptyClasses: [String] { takesEmptyClasses ? layout.emptyClasses.map(key) : [] }
    private let takesEmptyClasses: Bool

    /// - Parameters:
    ///   - split: the part that is read, of a set whose class folders lie in folders of its parts.
    ///   - areLeaves: the folder that holds an image is its class.
    init(
        _ entries: EntryStream, shape: FolderShape, split: ImportOptions.Split?, areNumbers: Bool = false,
        areLeaves: Bool = false, takesEmptyClasses: Bool = false
    ) {
        self.entries = entries
        self.areNumbers = areNumbers
        self.takesEmptyClasses = takesEmptyClasses
        layout = ImageFolderLayout(
            level: shape.classes.isEmpty ? nil : shape.level, areLeaves: areLeaves,
            maximumClasses: entries.limits.maximumClasses)
        let above = shape.above.map { $0 + "/" }.joined()
        others =
            split == nil
            ? [] : shape.partFolders.filter { $0.value != split?.rawValue }.map { above + $0.key + "/" }
    }

    func next(into bytes: inout [UInt8]) throws -> SourceSample? {
        entries.folder = { [unowned self] path in
            if !isOfAnotherPart(path) { try layout.addFolder(path.components) }
        }
        while let path = try entries.next() {
            if isOfAnotherPart(path) {
                entries.report.skip(path.name, "of another part")
                continue
            }
            guard let content = try entries.image(path, into: &bytes) else {
                try layout.addFolder(path.components.dropLast())
                entries.report.skip(path.name, "not an image")
                continue
            }
            let folder = try layout.addImage(path)
            return SourceSample(name: path.fullName, className: key(folder), content: content)
        }
        return nil
    }

    private func isOfAnotherPart(_ path: EntryPath) -> Bool {
        guard !others.isEmpty else { return false }
        let name = path.name + "/"
        return others.contains { name.hasPrefix($0) }
    }

    private func key(_ folder: String) -> String {
        areNumbers ? Int(folder).map(ClassNames.key) ?? folder : folder
    }

    func check() throws { try layout.check(allowingEmpty: takesEmptyClasses) }
}
