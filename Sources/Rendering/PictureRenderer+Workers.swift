import ArtifactStore
import Foundation
import JobStore
import PackedDataset
import Support
import WorkerProtocol
import Workers

/// A picture in the cache.
public struct SamplePicture: Sendable {
    /// PNG.
    public var path: String
    public var sha256: String
    /// Of the perturbation.
    public var amplification: Double
}

/// What is kept beside a sample's pictures; they are there when it is.
private struct PictureNote: Codable {
    var amplification: Double
    /// By view.
    var sha256: [String: String]

    static func name(_ index: Int) -> String { "\(index).json" }
}

extension PictureRenderer {
    /// A sample of a job as it is, what carries it over the boundary, or where it lands; made by a worker the
    /// first time.
    /// - Throws: `Problem` `job-not-found`, `samples-not-ready`, `sample-not-found`, `inputs-deleted`
    ///   (conflict), `pictures-busy` (rateLimited); the worker's.
    public nonisolated func picture(of job: String, sample index: Int, _ view: SampleView) async throws
        -> SamplePicture
    {
        try await store.requireSample(index, of: job)
        _ = try await store.pictureSources(of: job)
        if let found = try await cached(job, index, view) { return found }
        try await make(.sample(job: job, index: index))
        guard let made = try await cached(job, index, view) else {
            throw Problem(
                .internal, code: "picture-lost", title: "The picture is not there",
                detail: "The worker made it, and it has gone from the cache.", fix: "Try again.")
        }
        return made
    }

    /// A small JPEG of a sample of a job's data set.
    /// - Throws: as `picture`.
    public nonisolated func thumbnail(of job: String, sample index: Int) async throws -> Data {
        let (dataset, count) = try await store.datasetSource(of: job)
        guard index < count else { throw JobStore.sampleNotFound(index, job) }
        let directory = try artifacts.datasetDirectory(dataset)
        @Sendable func read() throws -> Data? {
            try SliceFile.thumbnails.read(index, of: count, in: directory)
        }
        do {
            if let found = try await onDisk(read) { return found }
        } catch let problem as Problem where problem.code == "slices-damaged" {}
        try await make(.thumbnails(dataset: dataset))
        guard let made = try await onDisk(read) else {
            // Deleted meanwhile: says so.
            _ = try await store.datasetSource(of: job)
            throw Problem(
                .internal, code: "picture-lost", title: "The picture is not there",
                detail: "The worker made no thumbnails.", fix: "Try again.")
        }
        return made
    }

    private nonisolated func cached(_ job: String, _ index: Int, _ view: SampleView) async throws
        -> SamplePicture?
    {
        let directory = try artifacts.pictureDirectory(job)
        return try await onDisk {
            let note = directory + "/" + PictureNote.name(index)
            let path = directory + "/" + RenderedSample.file(index, view)
            guard let data = FileManager.default.contents(atPath: note),
                let found = try? JSONDecoder().decode(PictureNote.self, from: data),
                let sha256 = found.sha256[view.rawValue], access(path, R_OK) == 0
            else { return nil }
            // What was looked at last goes last.
            for file in [path, note] { utimensat(AT_FDCWD, file, nil, 0) }
            return SamplePicture(path: path, sha256: sha256, amplification: found.amplification)
        }
    }

    nonisolated func picture(_ samples: [Int], of job: String, _ control: WorkerControl) async throws -> Int {
        let sources = try await store.pictureSources(of: job)
        return try await artifacts.inScratch { scratch in
            let render = WorkerTask.Render(
                model: try artifacts.require(sources.model),
                skeleton: try artifacts.skeleton(sources.skeleton),
                dataset: try artifacts.datasetDirectory(sources.dataset), samples: samples,
                options: sources.options)
            let rendered = Mutex<[RenderedSample]>([])
            let exit = await supervisor.run(
                WorkerTask(kind: .render(render), outputDirectory: scratch), control: control
            ) { message in
                if case .rendered(let list) = message { rendered.withLock { $0 += list } }
            }
            do { try Self.check(exit) } catch {
                // An input that was deleted under the worker's hands is no fault of it.
                _ = try await store.pictureSources(of: job)
                throw error
            }
            let made = rendered.withLock { $0 }
            guard Set(made.map(\.index)) == Set(samples) else {
                throw Problem(
                    .internal, code: "worker-incomplete", title: "The worker made not all pictures",
                    detail: "\(made.count) of \(samples.count) were made.")
            }
            return try await onDisk { [artifacts] in
                try made.reduce(0) { try $0 + Self.keep($1, of: job, from: scratch, artifacts) }
            }
        }
    }

    private static func keep(
        _ sample: RenderedSample, of job: String, from scratch: String, _ artifacts: ArtifactStore
    ) throws -> Int {
        let directory = try artifacts.pictureDirectory(job)
        var note = PictureNote(amplification: sample.amplification, sha256: [:])
        var bytes = 0
        for view in SampleView.allCases {
            let file = RenderedSample.file(sample.index, view)
            try artifacts.move(file, from: scratch, to: directory, as: file)
            note.sha256[view.rawValue] = try ArtifactStore.sha256(ofFile: directory + "/" + file)
            bytes += try DurableFile.size(of: directory + "/" + file)
        }
        let name = PictureNote.name(sample.index)
        let data = try JSONEncoder().encode(note)
        try data.write(to: URL(filePath: scratch + "/" + name))
        try artifacts.move(name, from: scratch, to: directory, as: name)
        return bytes + data.count
    }

    nonisolated func makeThumbnails(of dataset: String, _ control: WorkerControl) async throws {
        try await artifacts.inScratch { scratch in
            let directory = try artifacts.datasetDirectory(dataset)
            let task = WorkerTask(
                kind: .thumbnails(.init(dataset: directory)), outputDirectory: scratch)
            try Self.check(await supervisor.run(task, control: control) { _ in })
            try await onDisk { [artifacts] in
                // The table last: with it, the thumbnails are there.
                for file in [SliceFile.thumbnails.data, SliceFile.thumbnails.table] {
                    try artifacts.move(file, from: scratch, to: directory, as: file)
                }
            }
        }
    }

    private static func check(_ exit: WorkerExit) throws {
        if case .cancelled = exit {
            throw Problem(
                .unavailable, code: "service-stopping", title: "The service is stopping",
                detail: "The picture was not finished.", fix: "Try again when it is back.")
        }
        if let problem = exit.problem { throw problem }
    }
}
