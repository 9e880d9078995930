import Dispatch
import Findings
import Foundation
import ImageCodecs
import PackedDataset
import Support
import WorkerProtocol

/// One pass over a source: reads entries, decodes them in batches on other threads while it reads on, and
/// packs them in order. Used by one thread.
final class ImportRun {
    private let plan: SetPlan
    private let source: any SampleSource
    private let directory: String
    private let limits: ImportLimits
    private let options: ImportOptions
    private let transform: PixelGeometry
    private let forceColour: Bool
    private let workers = (0..<max(1, min(8, ProcessInfo.processInfo.activeProcessorCount))).map {
        DispatchQueue(label: "burn.import.\($0)", qos: .userInitiated)
    }
    private let memory: DecodeMemory
    private let began = ContinuousClock.now

    private var writer: PackedDatasetWriter?
    /// The first image, whose size all the others must have.
    private var first: (name: String, geometry: ImageGeometry)?
    private var filling: DecodeBatch?
    private var decoding: DecodeBatch?
    private var spare: DecodeBatch?
    private var images = 0
    private var conversions = ImageConversions()
    private var damaged = DamagedImages()

    init(
        plan: SetPlan, source: any SampleSource, directory: String, limits: ImportLimits,
        options: ImportOptions,
        forceColour: Bool
    ) {
        self.plan = plan
        self.source = source
        self.options = options
        self.directory = directory
        self.limits = limits
        self.forceColour = forceColour
        transform = PixelGeometry(options: options)
        memory = DecodeMemory(limit: Checked.product(limits.maximumImageMemory, 4) ?? .max)
    }

    func run(progress: (ImportProgress) -> Void, isCancelled: () -> Bool) throws -> DatasetSummary {
        do {
            try readAll(progress: progress, isCancelled: isCancelled)
        } catch let problem as Problem
            where problem.category == .unprocessable || problem.category == .tooLarge
        {
            // Damaged images came before it.
            throw options.skipDamaged == true ? problem : damaged.problem(of: images) ?? problem
        }
        report(progress)
        if options.skipDamaged != true, let problem = damaged.problem(of: images) { throw problem }
        try source.check()
        if let fault = plan.fault { throw fault }
        guard let writer else { throw noImages() }
        try requireClasses(of: writer)
        guard writer.classCount + source.emptyClasses.count >= 2 else {
            throw Problem(
                .unprocessable, code: "too-few-classes", title: "The data set has fewer than two classes",
                detail: "All \(writer.count) images have one label.",
                fix: "Upload images of at least two classes.")
        }
        return try finish(writer)
    }

    private func readAll(progress: (ImportProgress) -> Void, isCancelled: () -> Bool) throws {
        do {
            while try take() {
                if isCancelled() {
                    throw Problem(
                        .cancelled, code: "cancelled", title: "The work was cancelled",
                        detail: "The import stopped after \(images) images.")
                }
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
    }

    private func finish(_ writer: PackedDatasetWriter) throws -> DatasetSummary {
        for name in source.emptyClasses + lostClasses(writer) { writer.addClass(name) }
        var report = source.report
        let naming = ClassNaming(
            writer.classNames, areFolders: source.foldersAreClasses, own: report.classNames,
            orders: plan.orders)
        for file in naming.ignored { report.skip(file.name, file.reason) }
        let reading = SetReading(
            layout: plan.layout, decision: plan.sentence, split: plan.split, ignored: report.ignored,
            converted: conversions.found, turned: conversions.turned,
            orientation: options.orientation ?? .stored,
            notes: plan.notes + naming.notes, damaged: damaged.reading)
        return try writer.finish(
            format: source.formatName,
            skipped: report.skipped.map { .init(name: $0.name, reason: $0.reason) },
            skippedTotal: report.skippedTotal, reading: reading, classNames: { _ in naming.names },
            classLabels: { _ in naming.labels })
    }

    /// Classes of which damaged images were all that there was.
    private func lostClasses(_ writer: PackedDatasetWriter) -> Set<String> {
        damaged.classes.subtracting(writer.classNames)
    }

    /// - Throws: `empty-class`.
    private func requireClasses(of writer: PackedDatasetWriter) throws {
        guard options.emptyClasses != true, let name = lostClasses(writer).min() else { return }
        throw Problem(
            .unprocessable, code: "empty-class", title: "A class folder has no images",
            detail: "All the images of the class “\(name)” are damaged.", location: name,
            fix: "Add sound images, or import with \(ImportProblems.emptyClassesOption).")
    }

    private func report(_ progress: (ImportProgress) -> Void) {
        let elapsed = began.duration(to: .now).components
        progress(
            ImportProgress(
                images: writer?.count ?? 0, bytesRead: source.bytesRead, bytesTotal: source.bytesTotal,
                seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18))
    }

    /// Takes the next image; false at the end.
    private func take() throws -> Bool {
        let batch = filling ?? spare
        var bytes = batch?.encoded ?? []
        batch?.encoded = []
        defer { batch?.encoded = bytes }
        let start = bytes.count
        guard let sample = try source.next(into: &bytes) else { return false }
        if case .raw = sample.content { try requireImageFiles(sample.name) }
        images += 1
        guard images <= limits.maximumImages else {
            throw ImportProblems.tooMany("images", limits.maximumImages, sample.name)
        }
        let item = DecodeBatch.Item(
            name: sample.name, className: sample.className, content: sample.content,
            bytes: start..<bytes.count)
        if let batch {
            batch.add(item)
            filling = batch
            if batch === spare { spare = nil }
            return true
        }
        guard let made = try begin(item, bytes) else { return true }
        made.encoded = bytes
        made.add(item)
        filling = made
        return true
    }

    /// Where no batch is at hand: the first image sets the size, a second batch is made when needed. Nil where the first
    /// one is damaged.
    private func begin(_ item: DecodeBatch.Item, _ bytes: [UInt8]) throws -> DecodeBatch? {
        if let first { return makeBatch(first.geometry) }
        var geometry: ImageGeometry
        switch item.content {
        case .raw(let pixels): geometry = pixels.geometry
        case .damaged(let reason):
            damaged.add(item, problem(.damaged(reason), item))
            return nil
        case .encoded(let format):
            let probed = bytes.withUnsafeBytes { all in
                Result { () throws(ImageFailure) in
                    try format.geometry(
                        of: UnsafeRawBufferPointer(rebasing: all[item.bytes]),
                        maximumSide: limits.maximumSide,
                        maximumBytes: limits.maximumImageMemory)
                }
            }
            switch probed {
            case .success(let found):
                let orientation = bytes.withUnsafeBytes { all in
                    format.orientation(of: UnsafeRawBufferPointer(rebasing: all[item.bytes]))
                }
                geometry =
                    options.orientation == .upright || format.isLoadedUpright
                    ? ImageOrientation.geometry(found, orientation) : found
            case .failure(.damaged(let reason)):
                damaged.add(item, problem(.damaged(reason), item))
                return nil
            case .failure(let failure): throw problem(failure, item)
            }
        }
        if forceColour { geometry.channels = 3 }
        do {
            try transform.requireRoom(geometry, limits.maximumImageMemory)
        } catch {
            throw problem(error, item)
        }
        geometry = transform.result(geometry)
        try ImportSpace.require(
            images: source.expectedCount, bytesEach: geometry.bytes, in: directory, limits: limits)
        first = (item.name, geometry)
        writer = try PackedDatasetWriter(
            directory: directory, height: geometry.height, width: geometry.width, channels: geometry.channels)
        return makeBatch(geometry)
    }

    /// Bare pixels have neither an alpha channel nor an orientation.
    private func requireImageFiles(_ place: String) throws {
        for (name, given) in [
            ("alpha", options.alpha?.rawValue), ("orientation", options.orientation?.rawValue),
        ] {
            guard let given else { continue }
            throw SetParts.withoutEffect(
                "\(name)=\(given)", name,
                "The images are arrays of grey or RGB pixels (\(place)), and not files with an alpha channel or an "
                    + "orientation.")
        }
    }

    private func makeBatch(_ geometry: ImageGeometry) -> DecodeBatch {
        DecodeBatch(geometry: geometry, limits: limits, memory: memory, transform: transform)
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
            case .failure(.damaged(let reason)):
                damaged.add(item, problem(.damaged(reason), item))
            case .failure(let failure): throw problem(failure, item)
            case .success(let pixels):
                guard (writer.count + 1) * writer.imageBytes <= limits.maximumPackedBytes else {
                    throw ImportProblems.packedTooLarge(item.name, limits.maximumPackedBytes)
                }
                try writer.append(pixels, className: item.className, name: item.name)
                conversions.add(done.traits(index), name: item.name)
            }
        }
        done.removeAll()
        spare = done
    }

    private func problem(_ failure: ImageFailure, _ item: DecodeBatch.Item) -> Problem {
        if case .damaged(let reason) = item.content { return ImportProblems.notAnImage(item.name, reason) }
        let format = if case .encoded(let format) = item.content { format.name } else { "array" }
        return ImportProblems.image(
            failure, item.name, format: format, first: first, limits: limits)
    }

    private func noImages() -> Problem {
        Problem(
            .unprocessable, code: "dataset-empty", title: "The data set has no images",
            detail: damaged.count > 0
                ? "All its \(damaged.count) images are damaged."
                : "None of its \(source.report.entries) entries is a \(ImageFormat.names) image.",
            location: source.report.skipped.first?.name ?? damaged.firstName,
            fix: "Pack one folder per class with the images in them.")
    }
}
