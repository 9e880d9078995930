import Tensors
import Testing

@Suite struct AutogradTests {
    /// A smooth function of a (3, 4) matrix that passes through many operators.
    private func value(_ x: Tensor) throws -> Tensor {
        let mixed = try x.matmul(x.transpose()).tanh() + x.exp().sum([1], keepDimensions: true) * 0.1
        return try mixed.logSoftmax(1).square().sum() + x.norm([1]).log().sum()
    }

    @Test func gradientsEqualFiniteDifferences() throws {
        let point = try Tensor.randn([3, 4], generator: Generator(seed: 5), type: .float64)
        let x = try point.clone().requiringGradient()
        let analytic = try Autograd.gradient(of: value(x), withRespectTo: x).array(as: Double.self)
        var numeric: [Double] = []
        let start = try point.array(as: Double.self)
        for index in start.indices {
            let ends = try [1e-6, -1e-6].map { step in
                var moved = start
                moved[index] += step
                return try value(Tensor(moved, shape: [3, 4])).item(as: Double.self)
            }
            numeric.append((ends[0] - ends[1]) / 2e-6)
        }
        for (a, b) in zip(analytic, numeric) { #expect(abs(a - b) < 1e-6 * max(1, abs(b))) }
    }

    @Test func weightedOutputsGiveVectorJacobianProducts() throws {
        let x = try Tensor([1, 2, 3] as [Float]).requiringGradient()
        let y = try x * x
        let weight = try Tensor([1, 0, 10] as [Float])
        let gradients = try Autograd.gradients(of: [y], weightedBy: [weight], withRespectTo: [x])
        #expect(try gradients[0].array(as: Float.self) == [2, 0, 60])
    }

    @Test func backwardAccumulates() throws {
        let x = try Tensor([3] as [Float]).requiringGradient()
        try Autograd.backward((x * x).sum())
        try Autograd.backward((x * x).sum())
        #expect(try x.gradient?.item(as: Float.self) == 12)
        try x.clearGradient()
        #expect(try x.gradient == nil)
    }

    @Test func unusedInputsAreNil() throws {
        let x = try Tensor([3] as [Float]).requiringGradient()
        let y = try Tensor([3] as [Float]).requiringGradient()
        let found = try Autograd.gradientsIfUsed(
            of: [(x * x).sum()], weightedBy: [nil], withRespectTo: [x, y])
        #expect(found[0] != nil && found[1] == nil)
        #expect(throws: TensorError.self) {
            _ = try Autograd.gradient(of: (x * x).sum(), withRespectTo: y)
        }
    }

    @Test func modesEndWithTheirBlock() throws {
        let x = try Tensor([3] as [Float]).requiringGradient()
        #expect(try noGrad { try x * 2 }.requiresGradient == false)
        #expect(try inferenceMode { try x * 2 }.requiresGradient == false)
        #expect(throws: TensorError.self) { try noGrad { _ = try x.reshape([7]) } }
        #expect(Autograd.isEnabled)
        #expect(try (x * 2).requiresGradient)
    }

    @Test func cancelledTokensStopCallsAndBackwardPasses() throws {
        let token = try CancellationToken()
        let square = try Operator("aten::square")
        let x = try Tensor([3] as [Float]).requiringGradient()
        guard case .tensor(let y)? = try square([.tensor(x)], token: token).first else {
            Issue.record("square gave no tensor")
            return
        }
        token.cancel()
        #expect(throws: CancellationError.self) { _ = try square([.tensor(x)], token: token) }
        #expect(throws: CancellationError.self) {
            _ = try Autograd.gradient(of: y.sum(), withRespectTo: x)
        }
    }
}
