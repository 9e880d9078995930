import Findings
import Foundation
import Support

/// Writes a packed data set, sample by sample, in constant memory but for 16 bytes of digest a sample.
///
/// Class names may turn up in any order: labels are written as they are discovered and renumbered by sorted
/// name in `finish`. The folder becomes a data set at the very end, when the manifest is renamed into place;
/// a writer that is dropped before leaves nothing behind. Used by one thread at a time.
public final class PackedDatasetWriter {
    /// Bytes of one image's pixels.
    public let imageBytes: Int
    public private(set) var count = 0

    private let directory: String
    private let height: Int
    private let width: Int
    private let channels: Int
    private let images: BufferedFile
    private let labels: BufferedFile
    private let names: BufferedFile
    private let offsets: BufferedFile
    private var classIndices: [String: Int32] = [:]
    private var classCounts: [Int] = []
    private var seen: Set<NameDigest> = []
    private var isFinished = false

    /// Creates `directory` (and its parents) where needed.
    /// - Throws: `packed-dataset-exists` when it holds a finished data set already.
    public init(directory: String, height: Int, width: Int, channels: Int) throws {
        let area = height.multipliedReportingOverflow(by: width)
        let bytes = area.partialValue.multipliedReportingOverflow(by: channels)
        guard height > 0, width > 0, channels == 1 || channels == 3, !area.overflow, !bytes.overflow else {
            throw Problem(
                .unprocessable, code: "image-size-impossible", title: "The image size is not possible",
                detail: "Images of \(height) x \(width) with \(channels) channels cannot be packed.",
                fix: "Import the set with --resize HxW (resize=HxW).")
        }
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw Problem(
                .internal, code: "file-access-failed", title: "A file could not be used",
                detail: "Creating the folder failed: \(error.localizedDescription)", location: directory)
        }
        guard !FileManager.default.fileExists(atPath: directory + "/" + PackedLayout.manifest) else {
            throw Problem(
                .conflict, code: "packed-dataset-exists", title: "There is a packed data set here already",
                detail: "The folder holds a finished data set; it is never overwritten.", location: directory,
                fix: "Choose another folder.")
        }
        self.directory = directory
        self.height = height
        self.width = width
        self.channels = channels
        imageBytes = bytes.partialValue
        images = try BufferedFile(path: directory + "/" + PackedLayout.images)
        labels = try BufferedFile(path: directory + "/" + PackedLayout.labels)
        names = try BufferedFile(path: directory + "/" + PackedLayout.names)
        offsets = try BufferedFile(path: directory + "/" + PackedLayout.offsets)
        try offsets.append(littleEndian: UInt64(0))
    }

    deinit {
        guard !isFinished else { return }
        for file in PackedLayout.dataFiles { unlink(directory + "/" + file) }
    }

    /// The classes met so far, in order of discovery.
    public var classCount: Int { classCounts.count }

    /// The classes met so far, sorted.
    public var classNames: [String] { classIndices.keys.sortedByCodePoint() }

    /// Adds a class, which may stay without samples.
    public func addClass(_ name: String) {
        guard classIndices[name] == nil else { return }
        classIndices[name] = Int32(clamping: classCounts.count)
        classCounts.append(0)
    }

    /// Adds one sample.
    /// - Parameter pixels: H x W x C bytes.
    /// - Throws: `duplicate-entry` when a sample of that name was added before; `disk-full`.
    public func append(_ pixels: UnsafeRawBufferPointer, className: String, name: String) throws {
        precondition(!isFinished, "the data set is finished")
        precondition(pixels.count == imageBytes, "an image has height * width * channels bytes")
        guard count < Int(Int32.max) else {
            throw Problem(
                .tooLarge, code: "too-many-images", title: "The data set has too many images",
                detail: "A packed data set holds at most \(Int32.max) images.", location: name,
                fix: "Import a part of the set.")
        }
        guard seen.insert(NameDigest(name)).inserted else {
            throw Problem(
                .unprocessable, code: "duplicate-entry", title: "Two entries have the same name",
                detail: "There is an earlier entry of this name.", location: name,
                fix: "Give every image a name of its own.")
        }
        let label = classIndices[className] ?? Int32(classCounts.count)
        if label == classCounts.count {
            classIndices[className] = label
            classCounts.append(0)
        }
        classCounts[Int(label)] += 1
        try images.append(pixels)
        try labels.append(littleEndian: label)
        var name = name
        try name.withUTF8 { try names.append(UnsafeRawBufferPointer($0)) }
        try offsets.append(littleEndian: UInt64(names.count))
        count += 1
    }

    /// Renumbers the labels, makes everything durable and puts the manifest in place.
    /// - Parameters:
    ///   - classNames: what the sorted classes are to be called, each its own name and in the same order.
    ///   - classLabels: the numbers that the set gives the sorted classes, where it has numbers.
    /// - Returns: the summary, as `PackedDataset.summary` will give it.
    public func finish(
        format: String, skipped: [DatasetSummary.SkippedEntry] = [], skippedTotal: Int = 0,
        reading: SetReading? = nil, classNames: ([String]) -> [String] = { $0 },
        classLabels: ([String]) -> [Int]? = { _ in nil }
    ) throws -> DatasetSummary {
        precondition(!isFinished, "the data set is finished")
        guard count > 0 else {
            throw Problem(
                .unprocessable, code: "dataset-empty", title: "The data set has no images",
                detail: "No sample was added.", location: directory,
                fix: "Give a set that holds images.")
        }
        let sorted = classIndices.keys.sortedByCodePoint()
        let shown = classNames(sorted)
        let numbers = classLabels(sorted)
        precondition(numbers.map { $0.count == sorted.count } ?? true, "there is one label per class")
        precondition(
            shown.count == sorted.count && shown == shown.sortedByCodePoint()
                && Set(shown).count == shown.count,
            "class names are sorted and distinct")
        var renumbered = [Int32](repeating: 0, count: sorted.count)
        var classes: [DatasetSummary.ClassCount] = []
        for (index, name) in sorted.enumerated() {
            let discovered = Int(classIndices[name, default: 0])
            renumbered[discovered] = Int32(index)
            classes.append(
                .init(name: shown[index], samples: classCounts[discovered], label: numbers?[index]))
        }
        try labels.rewriteInt32 { renumbered[Int($0)] }
        for file in [images, labels, names, offsets] { try file.synchronize() }
        let summary = DatasetSummary(
            format: format, samples: count, height: height, width: width, channels: channels,
            classes: classes, skipped: skipped, skippedTotal: skippedTotal, packedBytes: images.count,
            reading: reading)
        try writeManifest(summary)
        isFinished = true
        return summary
    }

    private func writeManifest(_ summary: DatasetSummary) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(
            PackedLayout.Manifest(layoutVersion: PackedLayout.version, summary: summary))
        let path = directory + "/" + PackedLayout.manifest
        try DurableFile.write(data, to: path)
    }
}

/// 128 bits that stand for a name. The hash function's key differs from process to process, so that nobody
/// can prepare names that collide.
private struct NameDigest: Hashable {
    private let low: Int
    private let high: Int

    init(_ name: String) {
        var first = Hasher()
        var second = Hasher()
        first.combine(0)
        second.combine(1)
        var name = name
        name.withUTF8 { bytes in
            first.combine(bytes: UnsafeRawBufferPointer(bytes))
            second.combine(bytes: UnsafeRawBufferPointer(bytes))
        }
        low = first.finalize()
        high = second.finalize()
    }
}
