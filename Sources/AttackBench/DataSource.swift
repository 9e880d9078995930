import Foundation
import PackedDataset
import Support
import WorkerProtocol

/// Where clean images come from.
public enum DataSource: Hashable, Sendable {
    /// Images drawn by rule.
    case procedural
    /// One folder per class, in folders or archives that a worker imports.
    case imageFolders(training: URL, test: URL)
    /// The binary version of CIFAR-10: `data_batch_1.bin` to `_5.bin`, `test_batch.bin`, `batches.meta.txt`.
    case cifar10Binary(URL)
    /// The German Traffic Sign Recognition Benchmark, unpacked.
    case gtsrb(URL)
    case tinyImageNet(URL)

    /// - Parameter argument: `procedural`, or a folder: with CIFAR-10's binary files, or with a training and
    ///   a test set whose names (of folders, or of archives) contain `train` and `test`.
    /// - Throws: `data-source-unknown`.
    public init(argument: String) throws {
        if argument == "procedural" {
            self = .procedural
            return
        }
        let folder = URL(filePath: argument).standardizedFileURL
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        if entries.contains("data_batch_1.bin") {
            self = .cifar10Binary(folder)
            return
        }
        if GTSRBFiles(folder) != nil {
            self = .gtsrb(folder)
            return
        }
        if TinyImageNetFiles(folder) != nil {
            self = .tinyImageNet(folder)
            return
        }
        let training = entries.filter { $0.contains("train") }.sorted()
        let test = entries.filter { $0.contains("test") && !$0.contains("train") }.sorted()
        guard let training = training.first, let test = test.first else {
            throw Self.unknown(argument)
        }
        self = .imageFolders(training: folder.appending(path: training), test: folder.appending(path: test))
    }

    /// Packs what a worker has to decode, below `cache`, unless it is there.
    func importImages(
        cache: URL, runner: WorkerRunner, report: @escaping @Sendable (String, Double?) -> Void
    ) async throws {
        if case .tinyImageNet(let folder) = self, let files = TinyImageNetFiles(folder) {
            report("arranging files", nil)
            try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
            let trees = Self.trees(folder, cache)
            try files.arrangeTraining(in: trees.training)
            try files.arrangeValidation(in: trees.test)
        }
        guard let sources = archives(cache) else { return }
        for source in [sources.training, sources.test] {
            let folder = cache.appending(path: Self.key(source))
            guard !PackedDataset.isFinished(folder) else { continue }
            try await runner.run(.importDataset(.init(source: source.path)), in: folder) {
                report("importing \(source.lastPathComponent)", $0.fraction)
            }
        }
    }

    /// The images, at most as many as asked for, chosen by `seed`; what is packed must be imported.
    func load(
        training: Int, test: Int, seed: UInt64, cache: URL
    ) throws -> (training: CleanImages, test: CleanImages) {
        switch self {
        case .procedural:
            return (
                .procedural(training, seed: seed), .procedural(test, first: training, seed: seed)
            )
        case .imageFolders, .tinyImageNet:
            guard let sources = archives(cache) else { throw Self.unknown("The data set") }
            func images(_ source: URL, _ count: Int) throws -> CleanImages {
                let folder = cache.appending(path: Self.key(source))
                return CleanImages(
                    try PackedDataset(directory: folder.path), choosing: count, seed: seed)
            }
            return (try images(sources.training, training), try images(sources.test, test))
        case .gtsrb(let folder):
            guard let files = GTSRBFiles(folder) else { throw Self.unknown(folder.path) }
            return (try files.training(training, seed: seed), try files.test(test, seed: seed))
        case .cifar10Binary(let folder):
            let files = try CIFAR10Files(folder)
            return (
                files.training.chosen(training, seed: seed), files.test.chosen(test, seed: seed)
            )
        }
    }

    /// What a worker imports, if anything.
    private func archives(_ cache: URL) -> (training: URL, test: URL)? {
        switch self {
        case .imageFolders(let training, let test): (training, test)
        case .tinyImageNet(let folder): Self.trees(folder, cache)
        case .procedural, .cifar10Binary, .gtsrb: nil
        }
    }

    private static func trees(_ folder: URL, _ cache: URL) -> (training: URL, test: URL) {
        (
            cache.appending(path: "\(key(folder))-training-tree"),
            cache.appending(path: "\(key(folder))-validation-tree")
        )
    }

    private static func unknown(_ argument: String) -> Problem {
        Problem(
            .notFound, code: "data-source-unknown", title: "There are no images here",
            detail: "\(argument) is neither `procedural` nor a folder with a training and a test set.",
            fix:
                "Name a folder that holds `train` and `test` (folders or archives of class folders), CIFAR-10's "
                + "binary files, GTSRB or Tiny-ImageNet.")
    }

    /// A folder's name for a source: its own, and a sum over its path.
    private static func key(_ url: URL) -> String {
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in url.path.utf8 { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let name = url.lastPathComponent.prefix { $0 != "." }
        return "\(name)-\(String(sum, radix: 16))"
    }
}
