import Findings
import Foundation
import Tensors

/// What PyTorch computed for one architecture (see Tests/Fixtures/zoo.py).
struct ZooReference: Sendable {
    private struct Index: Decodable {
        struct Entry: Decodable {
            var shape: [Int]
            var offset: Int
        }

        var name: String
        var library: String
        var labels: [Int64]
        var loss: Double?
        var architecture: String?
        var side: Int?
        var tensors: [String: Entry]
    }

    struct Damaged: Error {
        var name: String
    }

    private let index: Index
    private let bytes: Data

    /// - Parameter path: the index, NAME.json; NAME.bin lies beside it.
    init(path: String) throws {
        let url = URL(filePath: path)
        index = try JSONDecoder().decode(Index.self, from: Data(contentsOf: url))
        bytes = try Data(contentsOf: url.deletingPathExtension().appendingPathExtension("bin"))
    }

    var name: String { index.name }
    var library: String { index.library }
    var labels: [Int64] { index.labels }
    /// Cross entropy in training mode, without dropout; nil where no training step was computed.
    var loss: Double? { index.loss }
    /// The graph that is built in, for a file of weights alone.
    var skeleton: ModelSkeleton? { index.architecture.map { .architecture($0, image: index.side) } }

    func tensor(_ name: String) throws -> Tensor {
        guard let entry = index.tensors[name] else { throw Damaged(name: name) }
        let count = entry.shape.reduce(4, *)
        guard entry.offset >= 0, entry.offset + count <= bytes.count else { throw Damaged(name: name) }
        return try bytes[entry.offset..<entry.offset + count].withUnsafeBytes {
            try Tensor(bytes: $0, type: .float32, shape: entry.shape)
        }
    }

    /// The tensors whose names begin with `prefix`, by the rest of their names.
    func tensors(_ prefix: String) throws -> [String: Tensor] {
        var found: [String: Tensor] = [:]
        for name in index.tensors.keys where name.hasPrefix(prefix) {
            found[String(name.dropFirst(prefix.count))] = try tensor(name)
        }
        return found
    }
}
