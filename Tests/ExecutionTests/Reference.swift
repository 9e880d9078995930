import Execution
import Foundation
import Tensors

/// What PyTorch computed for the network of `smallNetwork` (Tests/Fixtures/engine.py).
struct Reference: Decodable {
    struct Array: Decodable {
        var shape: [Int]
        var values: [Double]

        func tensor() throws -> Tensor { try Tensor(values.map(Float.init), shape: shape) }
    }

    struct Network: Decodable {
        var weights: [String: Array]
        var images: Array
        var labels: [Int]
        var logits: Array
        var inputGradient: Array
        var losses: [Double]
        var trained: [String: Array]
        var trainedLogits: Array
    }

    var network: Network

    static func load() throws -> Network {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/engine.json")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Reference.self, from: Data(contentsOf: file)).network
    }
}

extension Reference.Network {
    func model(seed: UInt64 = 0) throws -> GraphModel {
        try GraphModel(graph: smallNetwork(), tensors: weights.mapValues { try $0.tensor() }, seed: seed)
    }
}

func distance(_ a: Tensor, _ b: Tensor) throws -> Double {
    guard a.shape == b.shape else { return .infinity }
    return try (a.detach().to(.float64) - b.detach().to(.float64)).abs().amax().item()
}
