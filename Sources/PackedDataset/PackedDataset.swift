import Findings
import Foundation
import Support
import Synchronization

/// A packed data set, mapped read-only: N images of one size with their labels and names.
///
/// Opening it checks every size, label and offset against the manifest, so that no later access can leave
/// the mapping. Pages come from disk when they are touched and can be given up by the kernel at any time.
public final class PackedDataset: Sendable {
    public let summary: DatasetSummary
    /// Class names in order of code points; a label is an index into it.
    public let classes: [String]
    public let directory: String
    /// Bytes of one image: height * width * channels.
    public let imageBytes: Int

    /// Of images, for the work done.
    public var bytesRead: Int { read.load(ordering: .relaxed) }
    private let read = Atomic<Int>(0)

    private let imageFile: MappedFile
    private let labelFile: MappedFile
    private let nameFile: MappedFile
    private let offsetFile: MappedFile

    public var count: Int { summary.samples }
    public var height: Int { summary.height }
    public var width: Int { summary.width }
    /// 1 (grey) or 3 (RGB).
    public var channels: Int { summary.channels }

    /// - Throws: `Problem` `packed-dataset-missing` when the folder holds no finished set, and
    ///   `packed-dataset-damaged` when its files do not agree with its manifest.
    public init(directory: String) throws {
        let summary = try Self.readManifest(directory)
        let bytes = summary.height.multipliedReportingOverflow(by: summary.width)
        let image = bytes.partialValue.multipliedReportingOverflow(by: summary.channels)
        let total = image.partialValue.multipliedReportingOverflow(by: summary.samples)
        guard summary.samples > 0, summary.samples <= Int(Int32.max), summary.height > 0, summary.width > 0,
            summary.channels == 1 || summary.channels == 3,
            !bytes.overflow, !image.overflow, !total.overflow
        else { throw PackedLayout.damaged(directory, "The manifest's sizes are not possible.") }
        let names = summary.classes.map(\.name)
        guard !names.isEmpty, names == names.sortedByCodePoint(), Set(names).count == names.count else {
            throw PackedLayout.damaged(directory, "The manifest's classes are not sorted, or not distinct.")
        }
        self.directory = directory
        self.summary = summary
        self.classes = names
        imageBytes = image.partialValue
        imageFile = try MappedFile(
            directory: directory, name: PackedLayout.images, expectedSize: total.partialValue)
        labelFile = try MappedFile(
            directory: directory, name: PackedLayout.labels, expectedSize: summary.samples * 4)
        offsetFile = try MappedFile(
            directory: directory, name: PackedLayout.offsets, expectedSize: (summary.samples + 1) * 8)
        nameFile = try MappedFile(directory: directory, name: PackedLayout.names, expectedSize: nil)
        try checkLabels()
        try checkOffsets()
    }

    /// All the images, N x H x W x C. Valid only while this object is alive: keep the object, not the pointer,
    /// or use `withImage(at:_:)`.
    public var images: UnsafeRawBufferPointer { imageFile.bytes }

    /// So many images were read through `images`.
    public func countReading(of images: Int) { countReading(bytes: images * imageBytes) }

    /// Counts what was read of it elsewhere, for the same work.
    public func countReading(bytes: Int) { read.wrappingAdd(bytes, ordering: .relaxed) }

    /// The bytes of one image (H x W x C, row after row); the pointer must not leave `body`.
    public func withImage<Result>(
        at index: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        precondition(index >= 0 && index < count, "sample index out of range")
        return try withExtendedLifetime(self) {
            let start = index * imageBytes
            return try body(UnsafeRawBufferPointer(rebasing: imageFile.bytes[start..<start + imageBytes]))
        }
    }

    /// All the labels as they lie in the file; the pointer must not leave `body`.
    public func withLabels<Result>(
        _ body: (UnsafeBufferPointer<Int32>) throws -> Result
    ) rethrows -> Result {
        // Every supported machine is little-endian, as the file is; a mapping is page-aligned.
        try withExtendedLifetime(self) { try body(labelFile.bytes.assumingMemoryBound(to: Int32.self)) }
    }

    public func label(of index: Int) -> Int {
        precondition(index >= 0 && index < count, "sample index out of range")
        return Int(
            Int32(littleEndian: labelFile.bytes.loadUnaligned(fromByteOffset: index * 4, as: Int32.self)))
    }

    /// A copy of all the labels.
    public var labels: [Int32] { withLabels { Array($0) } }

    /// The entry's path in the uploaded archive.
    public func name(of index: Int) -> String {
        precondition(index >= 0 && index < count, "sample index out of range")
        return String(decoding: nameFile.bytes[offset(index)..<offset(index + 1)], as: UTF8.self)
    }

    private func offset(_ index: Int) -> Int {
        Int(
            UInt64(littleEndian: offsetFile.bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)))
    }

    private static func readManifest(_ directory: String) throws -> DatasetSummary {
        let path = directory + "/" + PackedLayout.manifest
        guard FileManager.default.fileExists(atPath: path) else {
            throw Problem(
                .notFound, code: "packed-dataset-missing", title: "There is no finished packed data set here",
                detail: "\(PackedLayout.manifest) is missing: the folder is none, or its import did not end.",
                location: directory, fix: "Import the data set again.")
        }
        let manifest: PackedLayout.Manifest
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            manifest = try JSONDecoder().decode(PackedLayout.Manifest.self, from: data)
        } catch {
            throw PackedLayout.damaged(directory, "\(PackedLayout.manifest) cannot be read.")
        }
        guard manifest.layoutVersion == PackedLayout.version else {
            throw PackedLayout.damaged(
                directory,
                "Its layout is version \(manifest.layoutVersion); this program reads \(PackedLayout.version)."
            )
        }
        return manifest.summary
    }

    private func checkLabels() throws {
        var counts = [Int](repeating: 0, count: classes.count)
        for index in 0..<count {
            let label = label(of: index)
            guard counts.indices.contains(label) else {
                throw PackedLayout.damaged(
                    directory, "Sample \(index) has label \(label), which no class has.")
            }
            counts[label] += 1
        }
        guard counts == summary.classes.map(\.samples) else {
            throw PackedLayout.damaged(directory, "The labels do not add up to the manifest's class counts.")
        }
    }

    private func checkOffsets() throws {
        var last: UInt64 = 0
        for index in 0...count {
            let next = UInt64(
                littleEndian: offsetFile.bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
            guard next >= last, next <= UInt64(nameFile.bytes.count), index > 0 || next == 0 else {
                throw PackedLayout.damaged(directory, "The name of sample \(max(0, index - 1)) has no place.")
            }
            last = next
        }
        guard last == UInt64(nameFile.bytes.count) else {
            throw PackedLayout.damaged(
                directory, "\(PackedLayout.names) holds bytes that belong to no sample.")
        }
    }
}
