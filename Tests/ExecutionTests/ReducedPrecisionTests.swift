import Execution
import Tensors
import Testing

/// Passes with products in bfloat16: near to those in full, and none before they are allowed.
extension GraphModelTests {
    private func logits(_ precision: Precision) throws -> Tensor {
        try model.forward(images, mode: .inference, precision: precision)
    }

    /// Differences beside the spread of what is expected.
    private func error(_ found: Tensor, _ expected: Tensor) throws -> Double {
        let spread = try expected.flatten().standardDeviation().item(as: Float.self)
        return try Double((found - expected).square().mean().item(as: Float.self)).squareRoot()
            / Double(spread)
    }

    @Test func nothingIsReducedUntilItIsAllowed() throws {
        #expect(!model.isReduced)
        #expect(try distance(logits(.reduced), logits(.full)) == 0)
        model.allowReducedPrecision(true)
        #expect(try model.isReduced && distance(logits(.reduced), logits(.full)) > 0)
        #expect(try distance(logits(.full), reference.logits.tensor()) < 1e-5)
        #expect(try model.copy().isReduced)
        model.allowReducedPrecision(false)
        #expect(try distance(logits(.reduced), logits(.full)) == 0)
    }

    /// bfloat16 has 8 significant bits: an error of 2⁻⁹ for each of some layers. The last layer is computed in float32.
    @Test func logitsAndGradientsAreNear() throws {
        model.allowReducedPrecision(true)
        let reduced = try logits(.reduced)
        #expect(reduced.type == .float32)
        let error = try error(reduced, logits(.full))
        #expect(error > 1e-4 && error < 0.02, "\(error)")
        let gradients = try [Precision.full, .reduced].map { precision in
            try model.inputGradient(images, precision: precision) {
                try $0.crossEntropyPerSample(labels).sum()
            }.gradient
        }
        #expect(gradients[1].type == .float32)
        // The maximum of a pool is another one here and there.
        let rows = try gradients.map { try $0.flatten(from: 1) }
        let cosines = try (rows[0] * rows[1]).sum([1]) / (rows[0].norm([1]) * rows[1].norm([1]))
        let cosine = try cosines.mean().item(as: Float.self)
        #expect(cosine > 0.9 && cosine < 0.99999, "\(cosine)")
        let features = try [Precision.full, .reduced].map {
            try #require(try model.forwardWithFeatures(images, mode: .inference, precision: $0).features)
        }
        #expect(features[1].type == .float32)
        #expect(try self.error(features[1], features[0]) < 0.02)
    }

    /// Weights and running statistics stay float32, and go where full precision takes them.
    @Test func trainingGoesTheSameWay() throws {
        model.allowReducedPrecision(true)
        let optimiser = try SGD(model.parameters, momentum: 0.9, weightDecay: 5e-4, nesterov: true)
        for expected in reference.losses {
            let loss = try model.forward(images, mode: .training, precision: .reduced).crossEntropy(labels)
            #expect(abs(try loss.item(as: Double.self) - expected) < 0.05 * max(expected, 0.2))
            try optimiser.step(
                Autograd.gradients(of: loss, withRespectTo: model.parameters), learningRate: 0.05)
        }
        for (name, tensor) in model.namedWeights {
            let expected = try #require(reference.trained[name])
            #expect(tensor.type == .float32 && tensor.shape == expected.shape, "\(name)")
        }
        // What is kept in bfloat16 follows the weights.
        let error = try error(logits(.reduced), logits(.full))
        #expect(error < 0.05, "\(error)")
        let expected = try reference.trainedLogits.tensor()
        #expect(try self.error(logits(.full), expected) < 0.2)
    }

    @Test func writtenWeightsCount() throws {
        model.allowReducedPrecision(true)
        let before = try logits(.reduced)
        try noGrad { try model.parameters[0].multiplyInPlace(2) }
        #expect(try distance(logits(.reduced), before) > 1e-3)
        #expect(try error(logits(.reduced), logits(.full)) < 0.05)
    }

    /// What is reduced ends with the pass, on its thread.
    @Test func otherProductsOfTheThreadStayInFull() throws {
        model.allowReducedPrecision(true)
        _ = try logits(.reduced)
        let (a, b) = (try Tensor.rand([4, 4], generator: Generator(seed: 1)), try Tensor.eye(4))
        #expect(try a.matmul(b).type == .float32 && distance(a.matmul(b), a) == 0)
        #expect(throws: (any Error).self) {
            try model.forward(
                Tensor.zeros([1, 3, 5, 7]), mode: .inference, precision: .reduced)
        }
        #expect(throws: TensorError.self) {
            try withReducedPrecision { _ = try a.matmul(Tensor.eye(5)) }
        }
        #expect(try a.matmul(b).type == .float32)
        #expect(try withReducedPrecision { try a.matmul(b).type } == .bfloat16)
    }
}
