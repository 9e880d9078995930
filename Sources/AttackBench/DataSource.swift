import Foundation
import PackedDataset
import Problems
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

    /// - Parameter argument: `procedural`, or a folder: with CIFAR-10's binary files, or with a training and a test
    ///   set whose names (of folders, or of archives) contain `train` and `test`.
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

    /// The images, at most as many as asked for, chosen by `seed`.
    ///
    /// What has to be decoded is packed below `cache`, once.
    func load(
        training: Int, test: Int, seed: UInt64, cache: URL, runner: WorkerRunner,
        report: @escaping @Sendable (String, Double?) -> Void
    ) async throws -> (training: CleanImages, test: CleanImages) {
        func imported(_ source: URL, _ count: Int) async throws -> CleanImages {
            let folder = cache.appending(path: Self.key(source))
            if !PackedDataset.isFinished(folder) {
                try await runner.run(.importDataset(.init(source: source.path)), in: folder) {
                    report("importing \(source.lastPathComponent)", $0.fraction)
                }
            }
            return CleanImages(try PackedDataset(directory: folder.path), choosing: count, seed: seed)
        }
        switch self {
        case .procedural:
            return (
                .procedural(training, seed: seed), .procedural(test, first: training, seed: seed)
            )
        case .imageFolders(let trainingSource, let testSource):
            return (
                try await imported(trainingSource, training), try await imported(testSource, test)
            )
        case .tinyImageNet(let folder):
            let trees = ["training", "validation"].map {
                cache.appending(path: "\(Self.key(folder))-\($0)-tree")
            }
            let files = TinyImageNetFiles(folder)
            report("arranging files", nil)
            try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
            try files?.arrangeTraining(in: trees[0])
            try files?.arrangeValidation(in: trees[1])
            return (try await imported(trees[0], training), try await imported(trees[1], test))
        case .gtsrb(let folder):
            guard let files = GTSRBFiles(folder) else { throw Self.unknown(folder.path) }
            report("reading GTSRB", nil)
            return (try files.training(training, seed: seed), try files.test(test, seed: seed))
        case .cifar10Binary(let folder):
            let files = try CIFAR10Files(folder)
            return (
                files.training.chosen(training, seed: seed), files.test.chosen(test, seed: seed)
            )
        }
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
