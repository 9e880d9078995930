import Dispatch
import Findings
import Foundation
import PackedDataset
import Problems
import WorkerProtocol

/// One pass over a source: reads entries, decodes them in batches on other threads while it reads on, and
/// packs them in order. Used by one thread.
final class ImportRun {
    private static let keptSkips = 100

    private let source: any EntrySource
    private let directory: String
    private let limits: ImportLimits
    private let forceColour: Bool
    private let workers = (0..<max(1, min(8, ProcessInfo.processInfo.activeProcessorCount))).map {
        DispatchQueue(label: "burn.import.\($0)", qos: .userInitiated)
    }
    private let began = ContinuousClock.now

    private var layout: ImageFolderLayout
    private var writer: PackedDatasetWriter?
    /// The first image, whose size all the others must have.
    private var first: (name: String, geometry: ImageGeometry)?
    private var filling: DecodeBatch?
    private var decoding: DecodeBatch?
    private var spare: DecodeBatch?
    private var images = 0
    private var entries = 0
    private var skipped: [DatasetSummary.SkippedEntry] = []
    private var skippedTotal = 0
    private var arrays = 0

    init(source: any EntrySource, directory: String, limits: ImportLimits, forceColour: Bool) {
        self.source = source
        self.directory = directory
        self.limits = limits
        self.forceColour = forceColour
        layout = ImageFolderLayout(maximumClasses: limits.maximumClasses)
    }

    func run(progress: (ImportProgress) -> Void, isCancelled: () -> Bool) throws -> DatasetSummary {
        do {
            while let entry = try source.next() {
                if isCancelled() {
                    throw Problem(
                        .cancelled, code: "cancelled", title: "The work was cancelled",
                        detail: "The import stopped after \(images) images.")
                }
                try take(entry)
                if filling?.isFull == true {
                    try turn()
                    report(progress)
                }
            }
        } catch let problem as Problem where problem.category != .cancelled {
            // An image that comes before the entry at fault is reported first, however fast it was decoded.
            try turn()
            try turn()
            throw problem
        }
        try turn()
        try turn()
        report(progress)
        try layout.check()
        guard let writer else { throw noImages() }
        return try writer.finish(
            format: "image-folder/\(source.formatName)", skipped: skipped, skippedTotal: skippedTotal)
    }

    private func report(_ progress: (ImportProgress) -> Void) {
        let elapsed = began.duration(to: .now).components
        progress(
            ImportProgress(
                images: writer?.count ?? 0, bytesRead: source.bytesRead, bytesTotal: source.bytesTotal,
                seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18))
    }

    private func take(_ entry: SourceEntry) throws {
        entries += 1
        guard entries <= 2 * limits.maximumImages + 100_000 else {
            throw ImportProblems.tooMany("entries", entries - 1, entry.name)
        }
        let path = try EntryPath(entry.name)
        switch entry.kind {
        case .directory:
            if !path.isClutter { try layout.addFolder(path.components) }
            return
        case .file: break
        case .symbolicLink, .hardLink, .special: throw ImportProblems.notAFile(entry)
        }
        if entry.isEncrypted { throw ImportProblems.encrypted(entry.name) }
        if path.components.isEmpty { return }
        if path.isClutter { return skip(path, "a hidden file, or one that an operating system left") }
        try takeFile(path)
    }

    private func takeFile(_ path: EntryPath) throws {
        let batch = filling ?? spare
        var bytes = batch?.encoded ?? []
        batch?.encoded = []
        defer { batch?.encoded = bytes }
        let start = bytes.count
        try source.read(into: &bytes, limit: ImageFormat.headBytes)
        guard let format = ImageFormat(head: bytes[start...]) else {
            bytes.removeSubrange(start...)
            guard !ImageFormat.isImageName(path.name) else { throw ImportProblems.foreignImage(path.name) }
            try layout.addFolder(path.components.dropLast())
            if path.name.hasSuffix(".npy") { arrays += 1 }
            return skip(path, "not an image")
        }
        try source.read(into: &bytes, limit: limits.maximumEntryBytes - ImageFormat.headBytes + 1)
        guard bytes.count - start <= limits.maximumEntryBytes else {
            throw ImportProblems.entryTooLarge(path.name, limits.maximumEntryBytes)
        }
        images += 1
        guard images <= limits.maximumImages else {
            throw ImportProblems.tooMany("images", limits.maximumImages, path.name)
        }
        let className = try layout.addImage(path)
        let item = DecodeBatch.Item(
            name: path.name, className: className, format: format, bytes: start..<bytes.count)
        if let batch {
            batch.add(item)
            filling = batch
            if batch === spare { spare = nil }
            return
        }
        let made = try begin(item, bytes)
        made.encoded = bytes
        made.add(item)
        filling = made
    }

    /// Where no batch is at hand: the first image sets the size, a second batch is made when needed.
    private func begin(_ item: DecodeBatch.Item, _ bytes: [UInt8]) throws -> DecodeBatch {
        if let first { return DecodeBatch(geometry: first.geometry, maximumSide: limits.maximumSide) }
        let probed = bytes.withUnsafeBytes { all in
            Result { () throws(ImageFailure) in
                try ImageDecoder.geometry(
                    of: UnsafeRawBufferPointer(rebasing: all[item.bytes]), format: item.format,
                    maximumSide: limits.maximumSide)
            }
        }
        var geometry: ImageGeometry
        switch probed {
        case .success(let found): geometry = found
        case .failure(let failure): throw problem(failure, item)
        }
        if forceColour { geometry.channels = 3 }
        first = (item.name, geometry)
        writer = try PackedDatasetWriter(
            directory: directory, height: geometry.height, width: geometry.width, channels: geometry.channels)
        return DecodeBatch(geometry: geometry, maximumSide: limits.maximumSide)
    }

    /// Packs the batch that was being decoded, and has the one being filled decoded.
    private func turn() throws {
        let done = decoding
        decoding = nil
        done?.wait()
        if let next = filling {
            filling = nil
            next.start(on: workers)
            decoding = next
        }
        guard let done, let writer else { return }
        for (index, item) in done.items.enumerated() {
            switch done.result(index) {
            case .failure(.colour): throw ColourAfterGrey()
            case .failure(let failure): throw problem(failure, item)
            case .success(let pixels):
                guard (writer.count + 1) * writer.imageBytes <= limits.maximumPackedBytes else {
                    throw ImportProblems.packedTooLarge(item.name, limits.maximumPackedBytes)
                }
                try writer.append(pixels, className: item.className, name: item.name)
            }
        }
        done.removeAll()
        spare = done
    }

    private func problem(_ failure: ImageFailure, _ item: DecodeBatch.Item) -> Problem {
        ImportProblems.image(
            failure, item.name, format: item.format, first: first, maximumSide: limits.maximumSide)
    }

    private func skip(_ path: EntryPath, _ reason: String) {
        skippedTotal += 1
        if skipped.count < Self.keptSkips { skipped.append(.init(name: path.name, reason: reason)) }
    }

    private func noImages() -> Problem {
        if arrays > 0, arrays == skippedTotal {
            return ArchiveFormat.unsupported(
                "This is a NumPy archive (npz): it holds \(arrays) arrays and no images.", path: directory)
        }
        return Problem(
            .unprocessable, code: "dataset-empty", title: "The data set has no images",
            detail: "None of its \(entries) entries is a PNG or JPEG image.",
            location: skipped.first?.name,
            fix: "Pack one folder per class with the images in them.")
    }
}
