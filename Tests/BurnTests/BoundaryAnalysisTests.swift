import Execution
import Findings
import Synchronization
import Tensors
import Testing
import TinyModels

@testable import Burn

@Suite struct BoundaryAnalysisTests {
    struct Run {
        var outcome: BoundaryAnalysis.Outcome
        var directions: [Float]
        var fractions: [Double]
    }

    let folder: ScratchFolder
    let model: GraphModel
    let images: LabelledImages

    init() throws {
        folder = try ScratchFolder()
        model = try TinyGraph.convolutional(side: 10, classes: 5, seed: 21)
        images = try LabelledImages(
            TinyImages.noise(300, side: 10, classes: 5, seed: 22).packed(in: folder.file("set")),
            for: model.graph, options: JobOptions())
    }

    private func run(
        threads: Int, method: JobOptions.DistanceMethod = .newton, token: CancellationToken? = nil
    ) throws -> Run {
        let store = try PerturbationStore(
            path: folder.file("perturbations-\(threads)"), samples: images.count, values: 300)
        let analysis = BoundaryAnalysis(
            model: model, images: images, store: store, features: nil, method: method, threads: threads,
            token: try token ?? CancellationToken())
        let fractions = Mutex<[Double]>([])
        let outcome = try analysis.run { fraction in fractions.withLock { $0.append(fraction) } }
        return Run(
            outcome: outcome, directions: try store.rows(Array(0..<images.count)).array(),
            fractions: fractions.withLock { $0 })
    }

    @Test func resultsDoNotDependOnTheNumberOfThreads() throws {
        let one = try run(threads: 1)
        for threads in [2, 4] {
            let other = try run(threads: threads)
            #expect(other.outcome.table.predicted == one.outcome.table.predicted)
            #expect(other.outcome.table.adversarialLabel == one.outcome.table.adversarialLabel)
            #expect(other.outcome.gradients == one.outcome.gradients)
            let pairs = zip(other.outcome.table.distance, one.outcome.table.distance)
            #expect(pairs.allSatisfy { abs($0 - $1) <= 1e-4 * $1 })
            #expect(zip(other.directions, one.directions).allSatisfy { abs($0 - $1) < 1e-3 })
        }
        #expect(one.fractions.max() == 1)
        #expect(one.fractions.count == 3, "one report a batch")
    }

    @Test func theTableAndTheStoreHoldWhatASingleDescentFinds() throws {
        let run = try run(threads: 2)
        let table = run.outcome.table
        let batch = try images.batch([0, 1, 130, 299])
        let predicted: [Int] = try model.forward(batch, mode: .inference).argmax(1).array()
        let descent = BoundaryDescent(
            model: model, lowest: images.lowest, highest: images.highest, objective: .runnerUp, token: nil)
        let distances = try BoundaryDescentTests.norms(descent.run(batch, predicted: predicted).perturbations)
        for (position, sample) in [0, 1, 130, 299].enumerated() {
            #expect(Int(table.predicted[sample]) == predicted[position])
            #expect(abs(table.distance[sample] - distances[position]) <= 1e-3 * distances[position])
            let row = run.directions[sample * 300..<(sample + 1) * 300]
            let square = row.reduce(Float(0)) { $0 + $1 * $1 }
            #expect(abs(square - 1) < 0.01)
        }
        #expect(zip(table.adversarialLabel, table.predicted).allSatisfy { $0 != $1 })
    }

    @Test func ddnDistancesAreNoLongerThanNewtonsAndItsGradientsCount() throws {
        let plain = try run(threads: 2).outcome
        let refined = try run(threads: 2, method: .ddn).outcome
        #expect(
            refined.gradients == plain.gradients + 40 * images.count, "40 steps, one of every sample each")
        let newton = plain.table.distance
        let ddn = refined.table.distance
        #expect(zip(ddn, newton).allSatisfy { $0 <= $1 * 1.0001 })
        let totals = (newton.reduce(0, +), ddn.reduce(0, +))
        #expect(totals.1 < totals.0)
    }

    @Test func aCancelledAnalysisThrows() throws {
        let token = try CancellationToken()
        token.cancel()
        #expect(throws: CancellationError.self) { try run(threads: 2, token: token) }
    }
}
