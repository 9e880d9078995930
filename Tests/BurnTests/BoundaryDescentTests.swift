import Execution
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// The distance to the boundary, where it is known.
@Suite struct BoundaryDescentTests {
    static let side = 4
    static let inputs = 16

    /// Rows of weights that are orthogonal and of one length, so that the runner-up's boundary is the nearest.
    static func symmetric(classes: Int, seed: UInt64) throws -> Tensor {
        let generator = try Generator(seed: seed)
        let square = try Tensor.randn([inputs, inputs], generator: generator)
        return try square.singularValues().u.rows(0..<classes).contiguous() * 2
    }

    static func images(_ count: Int, seed: UInt64) throws -> Tensor {
        try Tensor.randn([count, 1, side, side], generator: Generator(seed: seed))
    }

    static func descent(
        _ model: GraphModel, _ objective: MarginObjective = .runnerUp, box: (Double, Double) = (-100, 100)
    ) throws -> BoundaryDescent {
        BoundaryDescent(
            model: model, lowest: try Tensor.full([1, 1, 1, 1], box.0),
            highest: try Tensor.full([1, 1, 1, 1], box.1), objective: objective, token: nil)
    }

    static func norms(_ perturbations: Tensor) throws -> [Float] {
        try perturbations.flatten(from: 1).norm([1]).array()
    }

    static func predictions(_ model: GraphModel, _ images: Tensor) throws -> [Int] {
        try model.forward(images, mode: .inference).argmax(1).array()
    }

    /// Per sample the least (z_c - z_j) / ‖w_c - w_j‖, and that ratio for the runner-up.
    static func closedForm(
        _ weight: Tensor, _ logits: Tensor
    ) throws -> [(nearest: Double, runnerUp: Int, toRunnerUp: Double)] {
        let classes = try weight.size(0)
        let w: [Double] = try weight.array()
        let z: [Double] = try logits.array()
        return (0..<z.count / classes).map { sample in
            let row = Array(z[sample * classes..<(sample + 1) * classes])
            let order = row.indices.sorted { row[$0] > row[$1] }
            let ratios = order.dropFirst().map { other in
                let squares = (0..<inputs).reduce(0.0) { sum, i in
                    let difference = w[order[0] * inputs + i] - w[other * inputs + i]
                    return sum + difference * difference
                }
                return (row[order[0]] - row[other]) / squares.squareRoot()
            }
            return (ratios.min() ?? 0, order[1], ratios[0])
        }
    }

    @Test(arguments: [2, 3, 7])
    func distanceIsTheClosedFormOfALinearModel(classes: Int) throws {
        let weight = try Self.symmetric(classes: classes, seed: 1)
        let bias = try Tensor.randn([classes], generator: Generator(seed: 2))
        let model = try TinyGraph.linear(weight: weight, bias: bias, channels: 1, side: Self.side)
        let images = try Self.images(40, seed: 3)
        let logits = try model.forward(images, mode: .inference)
        let predicted = try Self.predictions(model, images)
        let result = try Self.descent(model).run(images, predicted: predicted)
        let expected = try Self.closedForm(weight, logits)
        for (found, known) in zip(try Self.norms(result.perturbations), expected) {
            #expect(abs(Double(found) - known.nearest) <= 0.005 * known.nearest + 1e-4)
        }
        #expect(result.adversarialLabels == expected.map(\.runnerUp))
        #expect(try Self.predictions(model, images + result.perturbations) == expected.map(\.runnerUp))
        #expect(result.gradients <= 2 * 40, "one Newton step is exact, and one gradient more sees it")
    }

    @Test func noPerturbationIsShorterThanTheNearestBoundaryOfAnyLinearModel() throws {
        let generator = try Generator(seed: 5)
        let weight = try Tensor.randn([6, Self.inputs], generator: generator)
        let model = try TinyGraph.linear(
            weight: weight, bias: Tensor.zeros([6]), channels: 1, side: Self.side)
        let images = try Self.images(60, seed: 6)
        let predicted = try Self.predictions(model, images)
        let known = try Self.closedForm(weight, model.forward(images, mode: .inference))
        for objective in [MarginObjective.runnerUp, .meanLogit] {
            let descent = try Self.descent(model, objective)
            let result = try descent.run(images, predicted: predicted)
            let norms = try Self.norms(result.perturbations)
            #expect(zip(norms, known).allSatisfy { Double($0) >= 0.999 * $1.nearest })
            let reached = try Self.predictions(model, images + result.perturbations)
            #expect(zip(reached, predicted).allSatisfy { $0 != $1 })
            // The crossing may lie in a third class; without refinement the point is the one that was met.
            var coarse = descent
            coarse.refinements = 0
            let met = try coarse.run(images, predicted: predicted)
            #expect(try Self.predictions(model, images + met.perturbations) == met.adversarialLabels)
            #expect(met.adversarialLabels == result.adversarialLabels)
        }
    }

    @Test func perturbedImagesStayInTheInputBox() throws {
        let weight = try Tensor.randn([3, Self.inputs], generator: Generator(seed: 7))
        let model = try TinyGraph.linear(
            weight: weight, bias: Tensor([0.6, 0, 0] as [Float]), channels: 1, side: Self.side)
        let images = try Tensor.rand([50, 1, Self.side, Self.side], generator: Generator(seed: 8))
        let predicted = try Self.predictions(model, images)
        let result = try Self.descent(model, box: (0, 1)).run(images, predicted: predicted)
        let reached = try images + result.perturbations
        #expect(try reached.amin().item(as: Float.self) >= -1e-6)
        #expect(try reached.amax().item(as: Float.self) <= 1 + 1e-6)
        #expect(try reached.amax().item(as: Float.self) > 0.9999, "the box was met")
        #expect(try Self.predictions(model, reached) == result.adversarialLabels)
    }

    @Test func anImageThatCannotLeaveItsClassIsLeftAtItsLastPosition() throws {
        let weight = try Self.symmetric(classes: 3, seed: 9)
        let model = try TinyGraph.linear(
            weight: weight, bias: Tensor([1000, 1, 0] as [Float]), channels: 1, side: Self.side)
        let images = try Tensor.rand([5, 1, Self.side, Self.side], generator: Generator(seed: 10))
        let result = try Self.descent(model, box: (0, 1)).run(images, predicted: [0, 0, 0, 0, 0])
        #expect(result.adversarialLabels.allSatisfy { $0 != 0 })
        #expect(try (images + result.perturbations).amax().item(as: Float.self) <= 1 + 1e-6)
        #expect(try Self.norms(result.perturbations).allSatisfy { $0.isFinite && $0 > 0 })
    }

    @Test func predictionsFlipAtThePointsFoundOnAConvolutionalNetwork() throws {
        let model = try TinyGraph.convolutional(side: 10, classes: 5, seed: 11)
        let images = try Tensor.rand([32, 3, 10, 10], generator: Generator(seed: 12))
        let predicted = try Self.predictions(model, images)
        for objective in [MarginObjective.runnerUp, .meanLogit] {
            let descent = try Self.descent(model, objective, box: (0, 1))
            let result = try descent.run(images, predicted: predicted)
            let reached = try model.forward(images + result.perturbations, mode: .inference)
            let margins: [Float] = try MarginObjective.runnerUp.value(reached, Tensor(predicted)).array()
            #expect(margins.count { $0 <= 1e-5 } >= 30)
        }
    }

    @Test func ddnFindsNothingLongerThanNewtonDoes() throws {
        let model = try TinyGraph.convolutional(side: 10, classes: 5, seed: 13)
        let images = try Tensor.rand([24, 3, 10, 10], generator: Generator(seed: 14))
        let predicted = try Self.predictions(model, images)
        let descent = try Self.descent(model, box: (0, 1))
        let newton = try descent.run(images, predicted: predicted).perturbations
        let refined = try DecoupledDirectionNorm(
            model: model, lowest: descent.lowest, highest: descent.highest, token: nil
        ).refine(newton, images: images, predicted: predicted).perturbations
        let (before, after) = (try Self.norms(newton), try Self.norms(refined))
        #expect(zip(after, before).allSatisfy { $0 <= $1 + 1e-6 })
        let totals = (before.reduce(0, +), after.reduce(0, +))
        #expect(totals.1 < totals.0)
        let margins: [Float] = try MarginObjective.runnerUp.value(
            model.forward(images + refined, mode: .inference), Tensor(predicted)
        ).array()
        #expect(margins.allSatisfy { $0 <= 1e-5 })
    }

    @Test func ddnAgreesWithTheClosedFormOfALinearModel() throws {
        let weight = try Self.symmetric(classes: 4, seed: 15)
        let model = try TinyGraph.linear(
            weight: weight, bias: Tensor.zeros([4]), channels: 1, side: Self.side)
        let images = try Self.images(30, seed: 16)
        let predicted = try Self.predictions(model, images)
        let descent = try Self.descent(model)
        let refined = try DecoupledDirectionNorm(
            model: model, lowest: descent.lowest, highest: descent.highest, token: nil
        ).refine(
            descent.run(images, predicted: predicted).perturbations, images: images, predicted: predicted
        ).perturbations
        let known = try Self.closedForm(weight, model.forward(images, mode: .inference))
        for (found, known) in zip(try Self.norms(refined), known) {
            #expect(abs(Double(found) - known.nearest) <= 0.005 * known.nearest + 1e-4)
        }
    }

    /// With steps in reduced precision, what is said of the crossing is true in full, and as near as with steps in full.
    @Test(arguments: [MarginObjective.runnerUp, .meanLogit])
    func reducedStepsCrossTheBoundaryOfFullPrecision(objective: MarginObjective) throws {
        let model = try TinyGraph.convolutional(side: 16, classes: 4, seed: 2)
        let images = try Tensor.rand([64, 3, 16, 16], generator: Generator(seed: 5))
        let predicted = try Self.predictions(model, images)
        let full = try Self.descent(model, objective).run(images, predicted: predicted)
        model.allowReducedPrecision(true)
        let reduced = try Self.descent(model, objective).run(images, predicted: predicted)
        let logits = try model.forward(images + reduced.perturbations, mode: .inference)
        let margins: [Float] = try MarginObjective.runnerUp.value(logits, Tensor(predicted)).array()
        for sample in predicted.indices {
            // On the boundary, but for what adding the perturbation rounds.
            #expect(margins[sample] < 1e-5)
            #expect(reduced.adversarialLabels[sample] != predicted[sample])
        }
        let norms = (try Self.norms(reduced.perturbations), try Self.norms(full.perturbations))
        let ratios = zip(norms.0, norms.1).map { $0.0 / $0.1 }
        #expect(ratios.sorted()[32] < 1.05 && ratios.sorted()[32] > 0.95)
    }

    /// Classes that are level in reduced precision are told apart in full.
    @Test func nearTiesAreAskedAgain() throws {
        let model = try TinyGraph.convolutional(side: 16, classes: 4, seed: 2)
        let images = try Tensor.rand([64, 3, 16, 16], generator: Generator(seed: 6))
        let full = try model.forward(images, mode: .inference)
        let token = try CancellationToken()
        #expect(
            try (model.withoutNearTies(full, of: images, token: token) - full).abs().amax().item(
                as: Float.self)
                == 0)
        model.allowReducedPrecision(true)
        let reduced = try model.forward(images, mode: .inference, precision: .reduced)
        // A row whose two likeliest are level comes back as full precision has it.
        let row = try Tensor([0])
        try reduced.indexCopyInPlace(0, row, Tensor([1, 1.001, 0, 0] as [Float]).reshape([1, 4]))
        let before = model.passes.count.forwards
        let settled = try model.withoutNearTies(reduced, of: images, token: token)
        #expect(model.passes.count.forwards - before < 64)
        #expect(try (settled - full).indexSelect(0, row).abs().amax().item(as: Float.self) < 1e-5)
        let expected: [Int] = try full.argmax(1).array()
        #expect(try settled.argmax(1).array() == expected)
    }

    /// A sample's gradient is of the class that full precision sees, whatever the reduced pass took it for.
    @Test func aSurveyedSamplesGradientIsOfItsClass() throws {
        let model = try TinyGraph.convolutional(side: 16, classes: 4, seed: 2)
        let images = try Tensor.rand([256, 3, 16, 16], generator: Generator(seed: 7))
        let token = try CancellationToken()
        let full = try model.surveyed(images, .full, token: token)
        model.allowReducedPrecision(true)
        let plain: [Int] = try model.forward(images, mode: .inference, precision: .reduced).argmax(1).array()
        let found = try model.surveyed(images, token: token)
        let expected: [Int] = try full.logits.argmax(1).array()
        #expect(try found.logits.argmax(1).array() == expected)
        let (a, b) = (try full.gradient.flatten(from: 1), try found.gradient.flatten(from: 1))
        let cosines: [Float] = try ((a * b).sum([1]) / (a.norm([1]) * b.norm([1]))).array()
        #expect(cosines.sorted()[128] > 0.98)
        for (sample, cosine) in cosines.enumerated() where plain[sample] != expected[sample] {
            #expect(cosine > 0.999, "it was asked again in full")
        }
    }
}
