import Tensors
import Testing

@Suite struct OptimiserTests {
    @Test func crossEntropyEqualsPyTorch() throws {
        let expected = try Reference.load().losses
        let logits = try expected.logits.tensor()
        let labels = try Tensor(expected.labels)
        let plain: Double = try logits.crossEntropy(labels).item()
        let weighted: Double = try logits.crossEntropy(
            labels, weights: expected.weights.tensor(), labelSmoothing: 0.1
        ).item()
        #expect(abs(plain - expected.plain) < 1e-6)
        #expect(abs(weighted - expected.weighted) < 1e-6)
        let soft: Double = try logits.crossEntropy(probabilities: labels.oneHot(classes: 4)).item()
        #expect(abs(soft - expected.plain) < 1e-6)
    }

    @Test func oneCycleEqualsPyTorch() throws {
        let rates = try Reference.load().sgd.rates
        let schedule = OneCycleSchedule(maximum: 0.1, steps: rates.count)
        for (step, rate) in rates.enumerated() {
            #expect(abs(schedule.learningRate(step: step) - rate) < 1e-9)
        }
    }

    @Test(arguments: [false, true])
    func descentEqualsPyTorch(channelsLastGradients: Bool) throws {
        let expected = try Reference.load().sgd
        let parameter = try expected.start.tensor().requiringGradient()
        let target = try expected.target.tensor()
        let optimiser = try SGD([parameter], momentum: 0.9, weightDecay: 5e-2, nesterov: true)
        for rate in expected.rates {
            let gradient = try Autograd.gradient(
                of: ((parameter - target).square() + parameter.sin()).sum(), withRespectTo: parameter)
            try optimiser.step(
                [channelsLastGradients ? gradient.channelsLast() : gradient], learningRate: rate)
        }
        #expect(try distance(parameter, expected.end.tensor()) < 1e-5)
    }

    @Test func mismatchedGradientsAreRefused() throws {
        let parameter = try Tensor.zeros([2]).requiringGradient()
        let optimiser = try SGD([parameter])
        #expect(throws: TensorError.self) { try optimiser.step([], learningRate: 1) }
        #expect(throws: TensorError.self) { try optimiser.step([.zeros([3])], learningRate: 1) }
        #expect(throws: TensorError.self) { _ = try SGD([parameter], nesterov: true) }
        #expect(throws: TensorError.self) { _ = try SGD([Tensor([1])]) }
    }

    @Test func jensenShannonIsZeroForEqualsAndLogTwoForDisjoint() throws {
        let p = try Tensor([1, 0, 1, 0] as [Float], shape: [2, 2])
        let q = try Tensor([1, 0, 0, 1] as [Float], shape: [2, 2])
        let found = try Tensor.jensenShannon(p, q).array(as: Double.self)
        #expect(abs(found[0]) < 1e-6 && abs(found[1] - 0.693147) < 1e-5)
    }
}
