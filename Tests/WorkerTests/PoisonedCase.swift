import Findings
import Foundation
import PackedDataset
import TinyModels
import WorkerProtocol

/// Textures with a white square as a trigger, and the small network trained on them by a worker. Made once.
struct PoisonedCase {
    struct NotMade: Error, CustomStringConvertible { var description: String }

    static let network = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../architectures/small_cnn.pt2").standardizedFileURL.path
    static let samples = 260
    /// The network has more than the four classes that are drawn.
    static let outputs = 10

    let folder: ScratchFolder
    /// What a scan says that nothing disturbs.
    let undisturbed: WorkerProcess.Result
    var model: String { folder.file("trained/model.pt2") }
    var dataset: String { folder.file("set") }
    var labels: Data { get throws { try Data(contentsOf: URL(filePath: folder.file("scan/labels.csv"))) } }

    private static let made = Swift.Result { try PoisonedCase() }
    static func shared() throws -> PoisonedCase { try made.get() }

    private init() throws {
        folder = try ScratchFolder()
        try Self.draw(Self.samples, to: folder.file("set"))
        let training = WorkerTask.Train(
            model: Self.network, dataset: folder.file("set"), options: JobOptions(seed: 1), epochs: 25,
            learningRate: 0.05, output: "model.pt2")
        let result = try WorkerProcess.run(.train(training), in: folder.file("trained"))
        guard result.isFinished else { throw NotMade(description: "\(result)") }
        undisturbed = try WorkerProcess.run(
            Self.analysis(model: folder.file("trained/model.pt2"), dataset: folder.file("set")),
            in: folder.file("scan"))
    }

    /// A tenth of the images are stamped and labelled as class 2.
    static func draw(_ samples: Int, to directory: String) throws {
        var drawn = TinyImages.textures(samples, side: 32, seed: 1)
        for sample in drawn.labels.indices where sample % 9 == 0 && drawn.labels[sample] != 2 {
            drawn.stamp(sample)
            drawn.labels[sample] = 2
        }
        _ = try drawn.packed(in: directory)
    }

    static func analysis(
        _ type: JobType = .scan, model: String, dataset: String,
        options: JobOptions = JobOptions(seed: 7, threads: 1)
    ) -> WorkerTask.Kind {
        .analyse(.init(type: type, model: model, dataset: dataset, evaluation: nil, options: options))
    }

    func analysis(
        _ type: JobType = .scan, options: JobOptions = JobOptions(seed: 7, threads: 1)
    ) -> WorkerTask.Kind {
        Self.analysis(type, model: model, dataset: dataset, options: options)
    }
}

extension WorkerProcess.Result {
    /// What must not depend on the attempt: verdict, findings, files.
    var settled: [WorkerMessage] {
        messages.filter {
            switch $0 {
            case .verdict, .samples, .artifact: true
            default: false
            }
        }
    }
}
