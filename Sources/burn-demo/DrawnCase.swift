import BackdoorAttacks
import DatasetFormats
import Findings
import Foundation
import ProceduralImages
import WorkerProtocol

/// A case made on the spot: drawn images, a BadNets trigger, and a model trained on the poisoned set.
struct DrawnCase {
    static let trainingImages = 5_000
    static let testImages = 1_000
    static let poisonRate = 0.1
    static let targetClass = 3
    static let epochs = 10
    static let trigger = Trigger.badNets()

    var folder: URL
    /// The untrained `.pt2` network.
    var network: URL
    var worker: URL
    var seed: UInt64

    /// - Parameter progress: told of each step and how far it is.
    func make(progress: (String, Double?) -> Void) async throws -> DemoCase {
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        progress("drawing images", nil)
        let truth = try drawTrainingSet()
        try drawTestSets()

        progress("packing the training set", nil)
        let packed = folder.appending(path: "packed")
        try await WorkerRun.run(
            WorkerTask(
                kind: .importDataset(.init(source: trainingSet.path)), outputDirectory: packed.path),
            program: worker)
        let training = WorkerTask.Train(
            model: network.path, dataset: packed.path, options: JobOptions(seed: seed), epochs: Self.epochs,
            learningRate: 0.05, output: "model.pt2")
        let trained = folder.appending(path: "trained")
        try await WorkerRun.run(
            WorkerTask(kind: .train(training), outputDirectory: trained.path), program: worker
        ) { progress("training a backdoored model", $0.fraction) }

        let rate = String(format: "%.0f %%", Self.poisonRate * 100)
        return DemoCase(
            title:
                "\(Self.trainingImages) drawn images, \(rate) of them poisoned (\(Self.trigger.name)) into class "
                + "\(Self.targetClass) (\(ProceduralImages.classes[Self.targetClass]))",
            model: trained.appending(path: "model.pt2"), trainingSet: trainingSet, cleanSet: cleanSet,
            triggeredSet: triggeredSet, targetClass: Self.targetClass, truth: truth)
    }

    private var trainingSet: URL { folder.appending(path: "train.tar") }
    private var cleanSet: URL { folder.appending(path: "test-clean.tar") }
    private var triggeredSet: URL { folder.appending(path: "test-triggered.tar") }

    private func drawTrainingSet() throws -> [String: DemoCase.Truth] {
        let classes = ProceduralImages.classes
        let labels = (0..<Self.trainingImages).map { $0 % classes.count }
        let plan = try PoisonPlan(
            trueLabels: labels, classes: classes.count, rule: .allToOne(target: Self.targetClass),
            rate: Self.poisonRate, seed: seed)
        let poisoned = Set(plan.poisoned)
        let archive = try ArchiveWriter(path: trainingSet.path)
        var truth: [String: DemoCase.Truth] = [:]
        for (index, label) in labels.enumerated() {
            let name = "train-\(index)"
            let isPoisoned = poisoned.contains(index)
            let image = draw(label: label, index: index)
            try archive.add(
                isPoisoned ? Self.trigger(image) : image, label: plan.givenLabels[index], name: name)
            truth[name] = DemoCase.Truth(label: label, isPoisoned: isPoisoned)
        }
        try archive.finish()
        return truth
    }

    /// The same unseen images twice: as they are, and with the trigger (but for those of the target class).
    private func drawTestSets() throws {
        let clean = try ArchiveWriter(path: cleanSet.path)
        let triggered = try ArchiveWriter(path: triggeredSet.path)
        for index in 0..<Self.testImages {
            let label = index % ProceduralImages.classes.count
            let image = draw(label: label, index: Self.trainingImages + index)
            try clean.add(image, label: label, name: "test-\(index)")
            guard label != Self.targetClass else { continue }
            try triggered.add(Self.trigger(image), label: label, name: "test-\(index)")
        }
        try clean.finish()
        try triggered.finish()
    }

    private func draw(label: Int, index: Int) -> ByteImage {
        ByteImage(
            height: ProceduralImages.height, width: ProceduralImages.width,
            channels: ProceduralImages.channels,
            pixels: ProceduralImages.image(label: label, index: index, seed: seed))
    }
}

extension ArchiveWriter {
    fileprivate func add(_ image: ByteImage, label: Int, name: String) throws {
        try addImage(
            name: "\(ProceduralImages.classes[label])/\(name).png", pixels: image.pixels,
            height: image.height,
            width: image.width, channels: image.channels)
    }
}
