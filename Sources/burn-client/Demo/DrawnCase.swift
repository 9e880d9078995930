import AttackBench
import Findings
import Foundation
import ImageArchives
import WorkerProtocol

/// A case made on the spot: drawn images, a BadNets trigger, and a model trained on the poisoned set.
struct DrawnCase {
    static let testImages = 1_000
    static let poisonRate = 0.1
    static let targetClass = 3
    static let epochs = 10
    static let attack = Attack.badNets(target: targetClass)

    var trainingImages = 5_000
    var folder: URL
    /// The untrained `.pt2` network.
    var network: URL
    var worker: URL
    var seed: UInt64

    /// - Parameter progress: told of each step and how far it is.
    func make(progress: @escaping @Sendable (String, Double?) -> Void) async throws -> DemoCase {
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        progress("drawing images", nil)
        let data = try PoisonedData(
            attack: Self.attack, rate: Self.poisonRate,
            training: .procedural(trainingImages, seed: seed),
            test: .procedural(Self.testImages, first: trainingImages, seed: seed), seed: seed)
        let sets = try ["train", "test-clean", "test-triggered"].map {
            try ArchiveSink(path: folder.appending(path: "\($0).tar"))
        }
        try data.writeTraining(to: sets[0])
        try data.writeTests(clean: sets[1], triggered: sets[2])
        for set in sets { try set.finish() }

        progress("packing the training set", nil)
        let runner = try WorkerRunner(program: worker.path)
        let packed = folder.appending(path: "packed")
        try await runner.run(.importDataset(.init(source: sets[0].path.path)), in: packed)
        let training = WorkerTask.Train(
            model: network.path, dataset: packed.path, options: JobOptions(seed: seed), epochs: Self.epochs,
            learningRate: 0.05, output: "model.pt2")
        let trained = folder.appending(path: "trained")
        try await runner.run(.train(training), in: trained) {
            progress("training a backdoored model", $0.fraction)
        }

        let rate = String(format: "%.0f %%", Self.poisonRate * 100)
        return DemoCase(
            title:
                "\(trainingImages) drawn images, \(rate) of them poisoned (\(Self.attack.name)) into class "
                + "\(Self.targetClass) (\(ProceduralImages.classes[Self.targetClass]))",
            model: trained.appending(path: "model.pt2"), trainingSet: sets[0].path, cleanSet: sets[1].path,
            triggeredSet: sets[2].path, targetClass: Self.targetClass, truth: data.truth)
    }
}

/// PNG images in the folders of a tar archive.
private struct ArchiveSink: SampleSink {
    let path: URL
    private let writer: ArchiveWriter

    init(path: URL) throws {
        self.path = path
        writer = try ArchiveWriter(path: path.path)
    }

    func add(_ image: ByteImage, className: String, name: String) throws {
        try writer.addImage(
            name: "\(className)/\(name).png", pixels: image.pixels, height: image.height, width: image.width,
            channels: image.channels)
    }

    func finish() throws { try writer.finish() }
}
