import Execution
import Graph
import Support
import Tensors
import Testing

@Suite struct GraphModelTests {
    let reference: Reference.Network
    let model: GraphModel
    let images: Tensor
    let labels: Tensor

    init() throws {
        reference = try Reference.load()
        model = try reference.model(seed: 7)
        images = try reference.images.tensor()
        labels = try Tensor(reference.labels)
    }

    @Test func logitsEqualPyTorch() throws {
        let logits = try model.forward(images, mode: .inference)
        #expect(!logits.requiresGradient)
        #expect(try distance(logits, reference.logits.tensor()) < 1e-5)
        let again = try model.forward(images, mode: .evaluationWithGradient)
        #expect(try distance(again, logits) == 0)
    }

    @Test func inputGradientsEqualPyTorch() throws {
        let (logits, gradient) = try model.inputGradient(images) {
            try $0.crossEntropyPerSample(labels).sum()
        }
        #expect(try distance(logits, reference.logits.tensor()) < 1e-5)
        #expect(try distance(gradient, reference.inputGradient.tensor()) < 1e-5)
        #expect(try model.parameters.allSatisfy { try $0.gradient == nil })
    }

    @Test func trainingStepsEqualPyTorch() throws {
        let optimiser = try SGD(model.parameters, momentum: 0.9, weightDecay: 5e-4, nesterov: true)
        for expected in reference.losses {
            let loss = try model.forward(images, mode: .training).crossEntropy(labels)
            #expect(abs(try loss.item(as: Double.self) - expected) < 1e-4)
            try optimiser.step(
                Autograd.gradients(of: loss, withRespectTo: model.parameters), learningRate: 0.05)
        }
        // Running statistics are among them.
        for (name, tensor) in model.namedWeights {
            let expected = try #require(reference.trained[name])
            #expect(try distance(tensor, expected.tensor()) < 1e-4, "\(name)")
        }
        // The folded weights follow.
        let logits = try model.forward(images, mode: .inference)
        #expect(try distance(logits, reference.trainedLogits.tensor()) < 1e-4)
    }

    @Test func copiesAreIndependent() throws {
        let copy = try model.copy()
        let before = try copy.forward(images, mode: .inference)
        try noGrad { try model.parameters[0].multiplyInPlace(2) }
        #expect(try distance(copy.forward(images, mode: .inference), before) == 0)
        #expect(try distance(model.forward(images, mode: .inference), before) > 1e-3)
        try model.load(from: copy)
        #expect(try distance(model.forward(images, mode: .inference), before) == 0)
    }

    @Test func loadingChecksNamesAndShapesFirst() throws {
        let before = try model.forward(images, mode: .inference)
        #expect(throws: Problem.self) { try model.load(["fc.bias": .zeros([4])]) }
        #expect(throws: Problem.self) { try model.load(["fc.bias": .zeros([3]), "no": .zeros([3])]) }
        #expect(try distance(model.forward(images, mode: .inference), before) == 0)
        try model.load(["fc.bias": .full([3], 100)])
        #expect(try model.forward(images, mode: .inference).amin().item(as: Double.self) > 50)
    }

    @Test func weightsAreReadAsRowMajorBytes() throws {
        let names = reference.weights.keys.sorted()
        let locations = try names.map { name in
            let shape = try #require(reference.weights[name]).shape
            return WeightLocation(
                name: name, type: .float32, shape: shape, strides: [], fileOffset: 0, byteCount: 0)
        }
        let other = try GraphModel(graph: smallNetwork(), weights: locations) { location in
            try reference.weights[location.name]?.tensor().bytes() ?? []
        }
        #expect(
            try distance(
                other.forward(images, mode: .inference), model.forward(images, mode: .inference)) == 0)
        #expect(model.parameterNames.count == model.parameters.count)
        for (name, tensor) in other.namedWeights {
            #expect(try tensor.bytes() == reference.weights[name]?.tensor().bytes())
        }
    }

    @Test func missingWeightsAreNamed() throws {
        var tensors = try reference.weights.mapValues { try $0.tensor() }
        tensors["fc.bias"] = nil
        let problem = #expect(throws: Problem.self) {
            _ = try GraphModel(graph: smallNetwork(), tensors: tensors)
        }
        #expect(problem?.location == "fc.bias")
    }

    @Test func featuresAreWhatTheLastLinearLayerReads() throws {
        for mode in [GraphModel.Mode.inference, .evaluationWithGradient] {
            let (logits, features) = try model.forwardWithFeatures(images, mode: mode)
            let found = try #require(features)
            #expect(found.shape == [5, 24])
            let again =
                try found.matmul(#require(reference.weights["fc.weight"]).tensor().transpose())
                + #require(reference.weights["fc.bias"]).tensor()
            #expect(try distance(again, logits) < 1e-5)
        }
    }

    @Test func dropoutRepeatsWithItsSeedAlone() throws {
        let same = try reference.model(seed: 7)
        let other = try reference.model(seed: 8)
        let a = try model.forward(images, mode: .training)
        #expect(try distance(a, same.forward(images, mode: .training)) == 0)
        #expect(try distance(a, other.forward(images, mode: .training)) > 1e-3)
    }

    @Test func imagesOfAnotherShapeAreRefused() throws {
        for shape in [[5, 3, 8, 7], [5, 1, 8, 8], [3, 8, 8], [0, 3, 8, 8]] {
            let problem = #expect(throws: Problem.self) {
                _ = try model.forward(.zeros(shape), mode: .inference)
            }
            #expect(problem?.code == "image-shape")
        }
    }

    @Test func cancellationStopsForwardAndBackward() throws {
        let token = try CancellationToken()
        let input = try images.clone().requiringGradient()
        let logits = try model.forward(input, mode: .evaluationWithGradient, token: token)
        let loss = try logits.sum()
        token.cancel()
        #expect(throws: CancellationError.self) {
            _ = try Autograd.gradient(of: loss, withRespectTo: input)
        }
        for mode in GraphModel.Mode.allCases {
            #expect(throws: CancellationError.self) {
                _ = try model.forward(images, mode: mode, token: token)
            }
        }
    }

    @Test func concurrentPassesGiveTheSameAnswers() async throws {
        let expected = try reference.logits.tensor()
        let model = model, images = images
        try await withThrowingTaskGroup(of: Double.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    var worst = 0.0
                    for _ in 0..<10 {
                        let logits =
                            worker % 2 == 0
                            ? try model.forward(images, mode: .inference)
                            : try model.inputGradient(images) { try $0.sum() }.logits
                        worst = try max(worst, distance(logits, expected))
                    }
                    return worst
                }
            }
            for try await worst in group { #expect(worst < 1e-5) }
        }
    }
}
