import Execution
import Findings
import Foundation
import Synchronization
import Tensors
import Testing
import TinyModels
import WorkerProtocol

@testable import AnalysisPipeline
@testable import Burn

/// Stages of which helpers take parts: real models and files, with a service of a few lines between them.
@Suite struct SharedStageTests {
    let folder: ScratchFolder
    let model: GraphModel
    let images: LabelledImages
    static let threads = 1

    init() throws {
        folder = try ScratchFolder()
        model = try TinyGraph.convolutional(side: 10, classes: 5, seed: 21)
        // The last batch is a small one.
        images = try LabelledImages(
            TinyImages.noise(20 * 128 + 37, side: 10, classes: 5, seed: 22).packed(in: folder.file("set")),
            for: model.graph, options: JobOptions())
    }

    /// What two stages find: columns, and the bytes of both files.
    struct Result: Equatable {
        var predicted, runnerUp, met: [Int32]
        /// By their bits.
        var linear, distance: [UInt32]
        var gradients, descents: Data
        var passes: Passes
        var taken: Int
    }

    private func run(
        _ name: String, helpers count: Int,
        fault: @escaping @Sendable (Int, WorkerPart) -> Service.Fault? = { _, _ in nil }
    ) throws -> Result {
        let place = folder.file(name)
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let service = Service(model, images, folder: place, fault: fault)
        let helpers = try service.helpers(count)
        helpers?.use(model, images)
        let before = model.passes.count
        func store(_ file: String) throws -> PerturbationStore {
            try PerturbationStore(path: "\(place)/\(file)", samples: images.count, values: 300)
        }
        let token = try CancellationToken()
        let gradients = try store("gradients.f16")
        let survey = GradientSurvey(
            model: model, images: images, store: gradients, threads: Self.threads, token: token, help: helpers
        )
        let screen = Array(stride(from: 0, to: images.count, by: 2))
        let boundary = BoundaryAnalysis(
            try survey.run(screen), survey: survey, store: try store("descents.f16"), method: .newton)
        #expect(boundary.table.surveyed == screen.count)
        try boundary.complete(0..<images.count)
        let progress = Mutex<[Double]>([])
        try boundary.analyse(0..<images.count) { fraction in progress.withLock { $0.append(fraction) } }
        #expect(progress.withLock { $0.max() } == 1)
        service.end()
        let found = boundary.table
        return Result(
            predicted: found.predicted, runnerUp: found.runnerUp, met: found.adversarialLabel,
            linear: found.linearDistance.map(\.bitPattern), distance: found.distance.map(\.bitPattern),
            gradients: try Data(contentsOf: URL(filePath: place + "/gradients.f16")),
            descents: try Data(contentsOf: URL(filePath: place + "/descents.f16")),
            passes: model.passes.count - before, taken: service.finished)
    }

    /// - Parameter passes: whether the work counted is the same too: what was done in vain may have been counted.
    private func expectSame(_ result: Result, _ alone: Result) {
        #expect(result.predicted == alone.predicted && result.runnerUp == alone.runnerUp)
        #expect(result.linear == alone.linear && result.distance == alone.distance && result.met == alone.met)
        #expect(result.gradients == alone.gradients && !alone.gradients.isEmpty)
        #expect(result.descents == alone.descents && !alone.descents.isEmpty)
    }

    @Test func theNumberOfHelpersChangesNoBit() throws {
        let alone = try run("alone", helpers: 0)
        for count in [1, 3] {
            let shared = try run("with-\(count)", helpers: count)
            #expect(shared.taken > 2 * count, "they did something: \(shared.taken)")
            expectSame(shared, alone)
            #expect(shared.passes == alone.passes)
        }
    }

    /// Of images whose directions are sketches: what they start from takes a gradient, wherever that is.
    @Test func featureChangesAreSharedToo() throws {
        let large = try TinyGraph.convolutional(side: 40, classes: 3, seed: 31)
        let set = try LabelledImages(
            TinyImages.noise(8 * 128 + 5, side: 40, classes: 3, seed: 32).packed(in: folder.file("large")),
            for: large.graph, options: JobOptions())
        func changes(_ name: String, helpers count: Int) throws -> (bytes: Data, passes: Passes, taken: Int) {
            let place = folder.file(name)
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            let service = Service(large, set, folder: place) { _, _ in nil }
            let helpers = try service.helpers(count)
            helpers?.use(large, set)
            let token = try CancellationToken()
            let store = try PerturbationStore(
                path: place + "/gradients.f16", samples: set.count, values: set.shape.reduce(1, *))
            #expect(!store.isExact)
            let table = try GradientSurvey(
                model: large, images: set, store: store, threads: Self.threads, token: token
            ).run(Array(0..<set.count))
            let before = large.passes.count
            let steps = FirstSteps(model: large, images: set, table: table, store: store, token: token)
            let changes = try #require(
                try FeatureChanges(
                    steps, path: place + "/features.f16", threads: Self.threads, help: helpers))
            try changes.write(Array(0..<set.count))
            service.end()
            return (
                try Data(contentsOf: URL(filePath: place + "/features.f16")), large.passes.count - before,
                service.finished
            )
        }
        let alone = try changes("large-alone", helpers: 0)
        let shared = try changes("large-shared", helpers: 2)
        #expect(shared.taken > 0 && shared.bytes == alone.bytes && !alone.bytes.isEmpty)
        #expect(shared.passes == alone.passes)
    }

    /// The user's sets, of which only the suspicious model's answers are asked of helpers.
    @Test func theUsersSetsAreSharedToo() throws {
        let triggered = try LabelledImages(
            TinyImages.noise(4 * 128, side: 10, classes: 5, seed: 23).packed(in: folder.file("triggered")),
            for: model.graph, options: JobOptions())
        func answers(_ name: String, helpers count: Int) throws -> (
            Evaluator.Answers, passes: Passes, taken: Int
        ) {
            let place = folder.file(name)
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            let service = Service(model, images, triggered: triggered, folder: place) { _, _ in nil }
            let helpers = try service.helpers(count)
            helpers?.use(model, images)
            let before = model.passes.count
            let answers = try Evaluator(clean: images, triggered: triggered, target: 1).ask(
                model, threads: Self.threads, token: CancellationToken(), help: helpers)
            service.end()
            return (answers, model.passes.count - before, service.finished)
        }
        let alone = try answers("alone", helpers: 0)
        let shared = try answers("shared", helpers: 2)
        #expect(shared.taken > 2 && shared.passes == alone.passes)
        #expect(shared.0.clean == alone.0.clean && shared.0.triggered == alone.0.triggered)
        #expect(alone.0.clean == (try model.predictions(images)))
        #expect(alone.0.triggered == (try model.predictions(triggered)))
    }

    @Test func whatAHelperLosesIsDoneAgain() throws {
        let alone = try run("alone", helpers: 0)
        for fault in [
            Service.Fault.dies, .damagesItsFile, .writesOfOtherSamples, .namesNoClass, .staysSilent,
        ] {
            let hit = Mutex(0)
            let shared = try run("\(fault)", helpers: 2) { helper, _ in
                guard helper == 1 else { return nil }
                return hit.withLock { hit in
                    hit += 1
                    return hit == 2 ? fault : nil
                }
            }
            #expect(hit.withLock { $0 } >= 2, "\(fault)")
            expectSame(shared, alone)
        }
    }

    @Test func aHelperOnAnotherMachineIsNotUsed() throws {
        let service = Service(model, images, folder: folder.path) { _, _ in nil }
        let sent = Mutex<[WorkerMessage]>([])
        let helpers = Helpers(
            .init(folder: folder.path, helpers: 1, patience: 0), machine: "here"
        ) { message in sent.withLock { $0.append(message) } }
        helpers.take(.helper(1, machine: "there"))
        #expect(sent.withLock { $0.contains(.dismissed(helper: 1)) })
        service.end()
    }

    @Test func aPartThatIsNoneIsRefused() throws {
        let job = try HelperJob(
            model: model, images: images, method: .newton, threads: 2, directory: folder.path,
            token: CancellationToken())
        func part(
            _ stage: StageCost.Stage = .survey, _ samples: [Int] = [0, 1], _ labels: [Int32] = [],
            threads: Int = 1, of set: ImageSet = .training
        ) -> WorkerPart {
            WorkerPart(
                number: 1, stage: stage, imageSet: set, samples: samples, labels: labels,
                threadsOfBatch: threads, taken: [])
        }
        for wrong in [
            part(.bundles), part(.survey, []), part(.survey, [-1]), part(.survey, [images.count]),
            part(.survey, [3, 3]), part(.survey, [1], [0]), part(.descents, [1], []),
            part(.descents, [1], [5]), part(.descents, [1], [-1]), part(threads: 0), part(threads: 3),
            part(.evaluation), part(.evaluation, of: .clean), part(of: .triggered),
        ] {
            #expect(throws: (any Error).self, "\(wrong)") { try job.run(wrong) }
        }
        #expect(try job.run(part()).gradients == 2)
    }
}

/// Stands for burnd: carries what a job's worker and its helpers say to each other. Helpers are threads.
///
/// Unchecked: everything that changes is behind locks.
final class Service: @unchecked Sendable {
    /// What goes wrong with a part.
    enum Fault { case dies, damagesItsFile, writesOfOtherSamples, namesNoClass, staysSilent }

    private let model: GraphModel
    private let images: LabelledImages
    private let triggered: LabelledImages?
    private let folder: String
    private let fault: @Sendable (Int, WorkerPart) -> Fault?
    private var helpers: Helpers?
    /// What the job's worker is told, in order.
    private let toMain = DispatchQueue(label: "main")
    private let queues = Mutex([Int: DispatchQueue]())
    private let counts = Mutex((begun: 0, finished: 0))

    var finished: Int { counts.withLock { $0.finished } }

    init(
        _ model: GraphModel, _ images: LabelledImages, triggered: LabelledImages? = nil, folder: String,
        fault: @escaping @Sendable (Int, WorkerPart) -> Fault?
    ) {
        self.model = model
        self.images = images
        self.triggered = triggered
        self.folder = folder
        self.fault = fault
    }

    func helpers(_ count: Int) throws -> Helpers? {
        guard count > 0 else { return nil }
        helpers = Helpers(.init(folder: folder, helpers: count, patience: 0), machine: "m") { [self] in
            take($0)
        }
        return helpers
    }

    func end() { for queue in queues.withLock({ Array($0.values) }) { queue.sync {} } }

    private func tell(_ notice: WorkerNotice) { toMain.async { self.helpers?.take(notice) } }

    private func take(_ message: WorkerMessage) {
        switch message {
        case .seeking(let wanted):
            while counts.withLock({ $0.begun }) < wanted {
                let number = counts.withLock { counts in
                    counts.begun += 1
                    return counts.begun
                }
                begin(number)
            }
        case .part(let part, let number): queues.withLock { $0[number] }?.async { self.run(part, number) }
        default: break
        }
    }

    private func begin(_ number: Int) {
        queues.withLock { $0[number] = DispatchQueue(label: "helper \(number)") }
        do {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(number)", withIntermediateDirectories: true)
        } catch { Issue.record(error) }
        tell(.helper(number, machine: "m"))
    }

    private func run(_ part: WorkerPart, _ number: Int) {
        do {
            // A model of its own counts its own passes, as in another process.
            let own = try TinyGraph.convolutional(
                side: images.dataset.height, classes: images.classes, seed: images.classes == 5 ? 21 : 31)
            let job = try HelperJob(
                model: own, images: LabelledImages(images.dataset, for: own.graph, options: JobOptions()),
                clean: images, triggered: triggered, method: .newton, threads: SharedStageTests.threads,
                directory: "\(folder)/\(number)",
                token: CancellationToken())
            let fault = fault(number, part)
            if fault == .dies {
                queues.withLock { $0[number] = nil }
                return tell(.helperEnded(number))
            }
            if fault == .staysSilent {
                // Until the service notices.
                Thread.sleep(forTimeInterval: 0.5)
                queues.withLock { $0[number] = nil }
                return tell(.helperEnded(number))
            }
            let end = try job.run(part)
            try spoil("\(folder)/\(number)/\(WorkerPart.file(part.number))", fault)
            counts.withLock { $0.finished += 1 }
            tell(.partFinished(helper: number, end))
        } catch { Issue.record(error) }
    }

    private func spoil(_ path: String, _ fault: Fault?) throws {
        let url = URL(filePath: path)
        switch fault {
        case .damagesItsFile: try Data(contentsOf: url).dropLast().write(to: url)
        case .writesOfOtherSamples, .namesNoClass:
            var columns = try #require(try ColumnFile.read(path))
            if fault == .namesNoClass {
                columns["classes-0"] = Data(repeating: 0x7F, count: columns["classes-0"]?.count ?? 0)
            } else {
                columns["samples"]?[0] ^= 1
            }
            try ColumnFile.write(columns.map { (name: $0.key, data: $0.value) }, to: path)
        default: break
        }
    }
}
