import Foundation
import Tensors

/// What PyTorch computed (Tests/Fixtures/engine.py).
struct Reference: Decodable {
    struct Array: Decodable {
        var shape: [Int]
        var values: [Double]

        func tensor() throws -> Tensor { try Tensor(values.map(Float.init), shape: shape) }
    }

    struct Losses: Decodable {
        var logits: Array
        var labels: [Int]
        var weights: Array
        var plain: Double
        var weighted: Double
    }

    struct Descent: Decodable {
        var start: Array
        var target: Array
        var rates: [Double]
        var end: Array
    }

    var losses: Losses
    var sgd: Descent

    static func load() throws -> Reference {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/engine.json")
        return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file))
    }
}

/// The largest difference between two tensors of one shape.
func distance(_ a: Tensor, _ b: Tensor) throws -> Double {
    guard a.shape == b.shape else { return .infinity }
    return try (a.detach().to(.float64) - b.detach().to(.float64)).abs().amax().item()
}
