import Containers
import Findings
import Support
import WorkerProtocol

/// CIFAR-10 and CIFAR-100 as their authors distribute them: the binary version (records of one or two label
/// bytes and 3 x 32 x 32 pixels) and the Python version (pickles, read as data).
final class CIFARSource: SampleSource {
    private static let pixels = RawPixels(
        element: .uint8, geometry: .init(height: 32, width: 32, channels: 3), isPlanar: true)
    private static let maximumPickleBytes = 512 << 20

    private let entries: EntryStream
    /// Nil: all parts.
    private let split: ImportOptions.Split?
    private let isBinary: Bool
    /// The file being read.
    private var path: EntryPath?
    private var index = 0
    private var labels: [Int] = []
    private var rows: [UInt8] = []
    private var rowsStart = 0

    var formatName: String { (isBinary ? "cifar-binary/" : "cifar-python/") + entries.source.formatName }
    var bytesRead: Int { entries.source.bytesRead }
    var bytesTotal: Int? { entries.source.bytesTotal }
    var expectedCount: Int? { nil }
    var report: SourceReport { entries.report }

    init(_ entries: EntryStream, isBinary: Bool, split: ImportOptions.Split?) {
        self.entries = entries
        self.isBinary = isBinary
        self.split = split
    }

    func check() throws {}

    /// The part that a file is of; nil for one that holds no images.
    static func split(of name: String) -> ImportOptions.Split? {
        let name = name.hasSuffix(".bin") ? String(name.dropLast(4)) : name
        if name == "train" || name.hasPrefix("data_batch_") { return .train }
        return name == "test" || name == "test_batch" ? .test : nil
    }

    func next(into bytes: inout [UInt8]) throws -> SourceSample? {
        while true {
            if let path, let sample = try isBinary ? record(path, into: &bytes) : row(path, into: &bytes) {
                return sample
            }
            path = nil
            guard let found = try entries.next() else { return nil }
            let name = found.components.last ?? ""
            if let part = Self.split(of: name), split == nil || part == split {
                try begin(found, name)
            } else if ["batches.meta", "meta", "batches.meta.txt", "fine_label_names.txt"].contains(name) {
                try readNames(found, name)
            } else {
                entries.report.skip(
                    found.name, split.map { "not of the \($0.rawValue) part" } ?? "not a batch")
            }
        }
    }

    private func begin(_ found: EntryPath, _ name: String) throws {
        (path, index) = (found, 0)
        if !isBinary { try readPickle(found) }
    }

    /// CIFAR-100 has the coarse label before the fine one.
    private func record(_ path: EntryPath, into bytes: inout [UInt8]) throws -> SourceSample? {
        let name = path.components.last ?? ""
        let width = name == "train.bin" || name == "test.bin" ? 2 : 1
        let place = "\(path.name)[\(index)]"
        var label: [UInt8] = []
        try entries.source.read(into: &label, limit: width)
        if label.isEmpty { return nil }
        let start = bytes.count
        try entries.source.read(into: &bytes, limit: Self.pixels.byteCount)
        guard label.count == width, bytes.count - start == Self.pixels.byteCount else {
            throw Problem(
                .malformed, code: "array-cut", title: "An array is cut short",
                detail: "The file is no whole number of records of \(width + Self.pixels.byteCount) bytes.",
                location: place, fix: "Compare the file's size and checksum with the original's.")
        }
        index += 1
        return SourceSample(
            name: place, className: ClassNames.key(Int(widened: label[width - 1])), content: .raw(Self.pixels)
        )
    }

    // bounded: the rows were compared with the number of labels.
    private func row(_ path: EntryPath, into bytes: inout [UInt8]) throws -> SourceSample? {
        guard index < labels.count else { return nil }
        let start = rowsStart + index * Self.pixels.byteCount
        bytes += rows[start..<start + Self.pixels.byteCount]
        defer { index += 1 }
        return SourceSample(
            name: "\(path.name)[\(index)]", className: ClassNames.key(labels[index]),
            content: .raw(Self.pixels))
    }

    private func readPickle(_ path: EntryPath) throws {
        let bytes = try entries.contents(of: path, limit: Self.maximumPickleBytes)
        let document = try Self.document(bytes, path)
        let root = document.root
        guard
            let targets =
                (document.member(root, "labels", in: bytes)
                ?? document.member(root, "fine_labels", in: bytes)).flatMap(document.items),
            case .array(let id)? = document.member(root, "data", in: bytes)
        else { throw Self.unknown("It has no members “data” and “labels”.", path) }
        let array = document.arrays[id]
        guard array.type == "|u1" || array.type == "u1", !array.isFortranOrder, array.shape.count == 2,
            array.shape[1] == Self.pixels.byteCount, array.shape[0] == targets.count
        else {
            throw Self.unknown(
                "“data” is \(array.type) \(array.shape), and there are \(targets.count) labels; N x 3072 bytes and "
                    + "N labels are expected.", path)
        }
        labels = try targets.map { value in
            guard case .int(let label) = value,
                (0..<entries.limits.maximumClasses).contains(Int(widened: label))
            else {
                throw Labels.invalid(
                    "A label is no class number.", path.name,
                    fix: "Take cifar-10-python.tar.gz as its authors distribute it.")
            }
            return Int(widened: label)
        }
        switch array.content {
        case .bytes(let range): (rows, rowsStart) = (bytes, range.lowerBound)
        case .decodedBytes(let number): (rows, rowsStart) = (document.decoded[number], 0)
        default: throw Self.unknown("“data” holds no bytes.", path)
        }
        let needed = labels.count.multipliedReportingOverflow(by: Self.pixels.byteCount)
        let held =
            if case .bytes(let range) = array.content { range.count } else { rows.count }
        guard !needed.overflow, needed.partialValue <= held else {
            throw Self.unknown("“data” has \(held) bytes, too few for its shape.", path)
        }
    }

    private func readNames(_ path: EntryPath, _ name: String) throws {
        let bytes = try entries.contents(of: path, limit: ClassNames.maximumBytes)
        guard !name.hasSuffix(".txt") else {
            let lines = String(decoding: bytes, as: UTF8.self).split { $0.isNewline }
            entries.report.classNames = ClassNames.numbered(lines.map { $0.trimmingSpace() })
            return
        }
        let document = try Self.document(bytes, path)
        let names =
            document.member(document.root, "label_names", in: bytes)
            ?? document.member(document.root, "fine_label_names", in: bytes)
        guard let items = names.flatMap(document.items) else { return }
        let texts = items.compactMap { document.text($0, in: bytes) }
        guard texts.count == items.count else { throw Self.unknown("A class name is no text.", path) }
        entries.report.classNames = ClassNames.numbered(texts)
    }

    private static func document(_ bytes: [UInt8], _ path: EntryPath) throws -> PickleDocument {
        try PickleReader.read(
            bytes, name: path.name, limits: PickleLimits(maximumBytes: maximumPickleBytes))
    }

    private static func unknown(_ detail: String, _ path: EntryPath) -> Problem {
        Problem(
            .unprocessable, code: "cifar-pickle-unknown", title: "The pickle is no CIFAR batch",
            detail: detail,
            location: path.name, fix: "Upload cifar-10-python.tar.gz as its authors distribute it.")
    }
}
