import CArchive
import Findings
import Foundation
import PackedDataset
import Support
import WorkerProtocol

/// How far an import is.
public struct ImportProgress: Hashable, Sendable {
    /// Images packed so far.
    public var images: Int
    /// Bytes of the upload read so far, and its size (nil for a folder on disk).
    public var bytesRead: Int
    public var bytesTotal: Int?
    /// Since the import began.
    public var seconds: Double

    /// 0 to 1, where the upload's size is known.
    public var fraction: Double? {
        bytesTotal.map { $0 > 0 ? min(1, Double(bytesRead) / Double($0)) : 1 }
    }
    public var imagesPerSecond: Double { seconds > 0 ? Double(images) / seconds : 0 }
    public var bytesPerSecond: Double { seconds > 0 ? Double(bytesRead) / seconds : 0 }
}

/// Reads labelled images and packs them.
///
/// Sources: zip, tar, tar.gz, tar.xz and tar.zst archives, told apart by content, and folders on disk, laid out
/// as image folders (one per class), WebDataset shards, images with a manifest, CIFAR-10/100 (binary, Python) or
/// MNIST (IDX); `.npz`; safetensors; Parquet. Images: those of `ImageFormat`, grey or RGB, all of one size unless the options scale
/// them. Grey images among coloured ones are widened to three channels; when all are grey, there is one.
public enum DatasetImporter {
    /// Packs the images of `path` into the folder `directory`, in the archive's order (a folder on disk: in
    /// order of names), in memory that does not depend on the upload's size but for some 40 bytes an image.
    ///
    /// Blocks; decodes on Dispatch workers while the calling thread reads. On an error nothing is left in
    /// `directory`.
    /// - Parameters:
    ///   - parts: further files of the same set.
    ///   - progress: called on the calling thread a few times a second at most by batch of images.
    ///   - isCancelled: asked before every entry.
    /// - Throws: `Problem` that names the entry at fault.
    public static func importDataset(
        from path: String, parts: [String] = [], to directory: String, limits: ImportLimits = ImportLimits(),
        options: ImportOptions = ImportOptions(), progress: (ImportProgress) -> Void = { _ in },
        isCancelled: () -> Bool = { false }
    ) throws -> DatasetSummary {
        var owned: locale_t?
        let previous = carchive_use_utf8(&owned)
        defer { carchive_restore_locale(previous, owned) }
        let plan = try SourceFinder(
            path: path, options: options, limits: limits, scratch: directory, parts: parts
        ).plan(isCancelled: isCancelled)
        func once(forceColour: Bool) throws -> DatasetSummary {
            let run = ImportRun(
                plan: plan, source: try plan.open(), directory: directory, limits: limits, options: options,
                forceColour: forceColour)
            return try run.run(progress: progress, isCancelled: isCancelled)
        }
        do { return try once(forceColour: false) } catch is ColourAfterGrey {
            return try once(forceColour: true)
        }
    }
}

/// The set began with grey images and goes on with coloured ones: begin again with three channels.
struct ColourAfterGrey: Error {}
