import Execution
import Findings
import Synchronization
import Tensors
import Testing
import TinyModels

@testable import Burn

@Suite struct BoundaryAnalysisTests {
    struct Run {
        var table: AnalysisTable
        var gradients: Int
        /// Of the survey, and of the descents.
        var directions, perturbations: [Float]
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
        let fractions = Mutex<[Double]>([])
        let first = try Surveyed(
            model, images, in: folder, method: method, threads: threads, token: token
        ) { fraction in fractions.withLock { $0.append(fraction) } }
        try first.boundary.analyse(0..<images.count)
        let all = Array(0..<images.count)
        return Run(
            table: first.table, gradients: first.boundary.gradients,
            directions: try first.store.rows(all).array(),
            perturbations: try first.boundary.store.rows(all).array(),
            fractions: fractions.withLock { $0 })
    }

    @Test func resultsDoNotDependOnTheNumberOfThreads() throws {
        let one = try run(threads: 1)
        for threads in [2, 4] {
            let other = try run(threads: threads)
            #expect(other.table.predicted == one.table.predicted)
            #expect(other.table.adversarialLabel == one.table.adversarialLabel)
            #expect(other.gradients == one.gradients)
            let pairs = zip(other.table.distance, one.table.distance)
            #expect(pairs.allSatisfy { abs($0 - $1) <= 1e-4 * $1 })
            #expect(zip(other.directions, one.directions).allSatisfy { abs($0 - $1) < 1e-3 })
            #expect(zip(other.perturbations, one.perturbations).allSatisfy { abs($0 - $1) < 1e-3 })
        }
        #expect(one.fractions.max() == 1)
        #expect(one.fractions.count == 3, "one report a batch")
    }

    @Test func theTableAndTheStoreHoldWhatASingleDescentFinds() throws {
        let run = try run(threads: 2)
        let table = run.table
        let batch = try images.batch([0, 1, 130, 299])
        let predicted: [Int] = try model.forward(batch, mode: .inference).argmax(1).array()
        let descent = BoundaryDescent(
            model: model, lowest: images.lowest, highest: images.highest, objective: .runnerUp, token: nil)
        let distances = try BoundaryDescentTests.norms(descent.run(batch, predicted: predicted).perturbations)
        for (position, sample) in [0, 1, 130, 299].enumerated() {
            #expect(Int(table.predicted[sample]) == predicted[position])
            #expect(abs(table.distance[sample] - distances[position]) <= 1e-3 * distances[position])
            let row = run.perturbations[sample * 300..<(sample + 1) * 300]
            let square = row.reduce(Float(0)) { $0 + $1 * $1 }
            #expect(abs(square - 1) < 0.01)
        }
        #expect(zip(table.adversarialLabel, table.predicted).allSatisfy { $0 != $1 })
    }

    @Test func theSurveyKeepsEverySamplesFirstGradient() throws {
        let run = try run(threads: 2)
        let batch = try images.batch([0, 1, 130, 299])
        let own = try model.forward(batch, mode: .inference).argmax(1)
        let (logits, gradient) = try model.inputGradient(batch) {
            try MarginObjective.meanLogit.value($0, own).sum()
        }
        let norms: [Float] = try gradient.contiguous().flatten(from: 1).norm([1]).array()
        let margins: [Float] = try MarginObjective.runnerUp.value(logits, own).array()
        let rows: [Float] = try gradient.contiguous().array()
        let next: [Int] = try MarginObjective.others(logits, own).argmax(1).array()
        for (position, sample) in [0, 1, 130, 299].enumerated() {
            let expected = margins[position] / norms[position]
            #expect(abs(run.table.linearDistance[sample] - expected) <= 1e-3 * expected)
            #expect(Int(run.table.runnerUp[sample]) == next[position])
            for value in 0..<300 {
                let direction = -rows[position * 300 + value] / norms[position]
                #expect(abs(run.directions[sample * 300 + value] - direction) < 1e-3)
            }
        }
    }

    @Test func onlyTheSamplesThatAreAskedAboutAreAnalysed() throws {
        let first = try Surveyed(model, images, in: folder)
        #expect(first.table.adversarialLabel.indices.allSatisfy { !first.table.isAnalysed($0) })
        try first.boundary.analyse([7, 200, 7])
        #expect(first.table.adversarialLabel.indices.filter { first.table.isAnalysed($0) } == [7, 200])
        #expect(first.table.exactDistance(8) == nil && first.table.metLabel(8) == nil)
        let gradients = first.boundary.gradients
        try first.boundary.analyse([200])
        #expect(first.boundary.gradients == gradients, "what is known is not asked again")
    }

    @Test func ddnDistancesAreNoLongerThanNewtonsAndItsGradientsCount() throws {
        let plain = try run(threads: 2)
        let refined = try run(threads: 2, method: .ddn)
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
