import Findings
import Foundation
import ImageCodecs
import Support
import WorkerProtocol

/// Images and labels in Parquet files, as Hugging Face stores them: one file, or the shards in an archive or folder.
final class ParquetSource: SampleSource {
    /// Gives the shards one after the other.
    private let shards: any ParquetShards
    private let limits: ImportLimits
    private let container: String
    private var file: ParquetFile?
    private var columns: ParquetColumns?
    private var row = 0
    private var names: Set<String> = []

    var formatName: String { container }
    var bytesRead: Int { shards.bytesRead }
    var bytesTotal: Int? { shards.bytesTotal }
    let expectedCount: Int?
    private var classNames: [String] = []

    var report: SourceReport {
        var report = shards.report
        if report.classNames.isEmpty { report.classNames = ClassNames.numbered(classNames) }
        return report
    }

    /// - Parameter path: of one Parquet file.
    init(path: String, limits: ImportLimits) throws {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw Problem(
                .internal, code: "file-access-failed", title: "A file could not be used",
                detail: "Opening failed.", location: path)
        }
        let file = try ParquetFile(handle, name: (path as NSString).lastPathComponent)
        guard file.rowCount <= limits.maximumImages else {
            throw ImportProblems.tooMany("images", limits.maximumImages, file.name)
        }
        shards = OneShard(file)
        expectedCount = file.rowCount
        container = "parquet"
        self.limits = limits
    }

    /// - Parameters:
    ///   - split: the part to be read by the files' names; nil for all.
    ///   - scratch: a folder on the disk for one shard at a time.
    init(_ entries: EntryStream, split: ImportOptions.Split?, scratch: String) {
        shards = ArchivedShards(entries, split: split, scratch: scratch)
        expectedCount = nil
        container = "parquet/" + entries.source.formatName
        limits = entries.limits
    }

    func check() throws {}

    func next(into bytes: inout [UInt8]) throws -> SourceSample? {
        while true {
            if let file, let sample = try sample(of: file, into: &bytes) { return sample }
            file = nil
            guard let next = try shards.next() else { return nil }
            try begin(next)
        }
    }

    private func begin(_ next: ParquetFile) throws {
        let found = try ParquetColumns(next)
        if let columns,
            found.imageName != columns.imageName || found.labelName != columns.labelName
                || found.classNames != columns.classNames
        {
            throw Problem(
                .unprocessable, code: "parquet-shards-differ",
                title: "The Parquet files do not belong together",
                detail:
                    "The columns are “\(found.imageName.prefix(40))” and “\(found.labelName.prefix(40))” with "
                    + "\(found.classNames.count) class names; in the file before, “\(columns.imageName.prefix(40))” and "
                    + "“\(columns.labelName.prefix(40))” with \(columns.classNames.count), or with other ones.",
                location: next.name, fix: "Upload the files of one set.")
        }
        try next.begin(image: found.image, label: found.label)
        columns = found
        classNames = found.classNames
        (file, row) = (next, 0)
    }

    private func sample(of file: ParquetFile, into bytes: inout [UInt8]) throws -> SourceSample? {
        let place = "\(file.name)[\(row)]"
        let start = bytes.count
        guard let found = try file.next(into: &bytes, limit: limits.maximumEntryBytes, place: place) else {
            return nil
        }
        row += 1
        guard let count = found.byteCount else { throw withoutImage(found, place) }
        let content: SourceSample.Content
        if found.shape.isEmpty {
            let head = bytes[start...].prefix(ImageFormat.headBytes)
            if let format = ImageFormat(head: head) {
                content = .encoded(format)
            } else {
                guard ForeignImageFormat(head: head) == nil else {
                    throw ImportProblems.foreignImage(place, head)
                }
                bytes.removeSubrange(start...)
                content = .damaged("by its content the cell is no \(ImageFormat.names) image")
            }
        } else {
            content = .raw(
                try ImageArray.pixels(
                    try shape(found.shape, count, place), .uint8, name: place, limits: limits))
        }
        return SourceSample(name: place, className: try className(found.label, place), content: content)
    }

    // bounded: bytes of one image, under its limit.
    /// With a 1 in front: the form of an array of one image.
    private func shape(_ lists: [Int], _ count: Int, _ place: String) throws -> [Int] {
        guard lists.count == 1 else { return [1] + lists }
        if let shape = columns?.shape, (2...3).contains(shape.count),
            shape.allSatisfy({ (1...count).contains($0) }),
            shape.reduce(
                (1, false),
                { sum, size in
                    let (product, overflow) = sum.0.multipliedReportingOverflow(by: size)
                    return (product, sum.1 || overflow)
                }) == (count, false)
        {
            return [1] + shape
        }
        let side = Int(Double(count).squareRoot())
        guard side * side == count else {
            throw Problem(
                .unprocessable, code: "array-shape-unsupported", title: "An array does not hold images",
                detail:
                    "A flat list of \(count) numbers is no square grey image, and nothing says its shape.",
                location: place, fix: "Write nested lists (height, width) or (height, width, channels).")
        }
        return [1, side, side]
    }

    private func withoutImage(_ row: ParquetFile.Row, _ place: String) -> Problem {
        guard let path = row.path, !path.isEmpty else {
            return Problem(
                .unprocessable, code: "row-without-image", title: "A row has no image",
                detail: "Its cell is null or empty.", location: place, fix: "Leave the row out.")
        }
        return Problem(
            .unprocessable, code: "row-without-image", title: "A row has no image",
            detail: "Its cell names the file “\(path.prefix(120))” and has no bytes.", location: place,
            fix:
                "Put the images themselves into the column's bytes, as push_to_hub of Hugging Face's datasets does, or "
                + "upload the images with a manifest.")
    }

    private func className(_ label: ParquetFile.Label?, _ place: String) throws -> String {
        switch label {
        case nil: throw Labels.invalid("The row has no label.", place, fix: Self.withoutLabel)
        case .number(let number): return try key(number, place)
        case .text(let text):
            if let number = Labels.number(text) { return try key(number, place) }
            let name = try Labels.key(text, maximumClasses: limits.maximumClasses, at: place)
            if names.insert(text).inserted, names.count > limits.maximumClasses {
                throw ImportProblems.tooMany("classes", limits.maximumClasses, place)
            }
            return name
        }
    }

    private static let withoutLabel = "Give the row its label, or leave it out."

    private func key(_ number: Int, _ place: String) throws -> String {
        let most = classNames.isEmpty ? limits.maximumClasses : min(limits.maximumClasses, classNames.count)
        // bounded: the least of two limits.
        guard (0..<most).contains(number) else {
            guard number == -1 else { throw Labels.invalid(Labels.outside(number, most), place) }
            throw Labels.invalid(
                "It is -1, which stands for a row without a label (as in a test part without answers).",
                place,
                fix: Self.withoutLabel)
        }
        return ClassNames.key(number)
    }
}
