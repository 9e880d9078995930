import Foundation
import Tensors
import Testing
import TinyModels

@testable import Burn

@Suite struct PerturbationStoreTests {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func unitRows(_ count: Int, _ width: Int, seed: UInt64) throws -> Tensor {
        let rows = try Tensor.randn([count, width], generator: Generator(seed: seed))
        return try rows / rows.norm([1], keepDimensions: true)
    }

    @Test func exactRowsComeBackWithHalfPrecision() throws {
        let rows = try unitRows(20, 300, seed: 1)
        let store = try PerturbationStore(path: folder.file("p"), samples: 20, values: 300)
        #expect(store.isExact && store.width == 300)
        try store.write(rows.rows(0..<12), of: Array(0..<12))
        try store.write(rows.rows(12..<20), of: Array(12..<20))
        let order = [19, 0, 7, 12]
        let difference = try store.rows(order) - rows.rows(order)
        // Half precision: 11 bits of mantissa, values up to about 0.25.
        #expect(try difference.abs().amax().item(as: Float.self) < 0.25 / 2048)
        #expect(try difference.abs().amax().item(as: Float.self) > 0)
    }

    @Test func rowsAreThereWhenTheFileIsOpenedAgain() throws {
        let rows = try unitRows(5, 48, seed: 2)
        var store = try PerturbationStore(path: folder.file("p"), samples: 5, values: 48)
        try store.write(rows, of: Array(0..<rows.shape[0]))
        try store.synchronise()
        let before: [Float] = try store.rows([0, 1, 2, 3, 4]).array()
        store = try PerturbationStore(path: folder.file("p"), samples: 5, values: 48)
        #expect(try store.rows([0, 1, 2, 3, 4]).array(as: Float.self) == before)
        let size = try FileManager.default.attributesOfItem(atPath: folder.file("p"))[.size] as? Int
        #expect(size == 5 * 48 * 2)
    }

    @Test func sketchesKeepInnerProducts() throws {
        let values = 3 * 64 * 64
        let noise = try unitRows(30, values, seed: 3)
        // Two rows with a known cosine of 0.8.
        let pair = try noise.rows([0]) * 0.8 + noise.rows([1]) * 0.6
        let rows = try Tensor.cat([noise, pair / pair.norm()])
        let store = try PerturbationStore(path: folder.file("p"), samples: 31, values: values)
        #expect(!store.isExact && store.width == PerturbationStore.maximumWidth)
        try store.write(rows, of: Array(0..<rows.shape[0]))
        let sketched = try store.rows(Array(0..<31))
        let kept = try sketched.matmul(sketched.transpose())
        let exact = try rows.matmul(rows.transpose())
        let error = try (kept - exact).abs()
        // The error of one inner product has a standard deviation of 1/64.
        #expect(try error.amax().item(as: Float.self) < 5.0 / 64)
        #expect(try error.mean().item(as: Float.self) < 1.2 / 64)
        #expect(try abs(kept.array(as: Float.self)[30 * 31] - 0.8) < 5.0 / 64)
    }

    @Test func readingBeyondTheLastSampleIsAProblem() throws {
        let store = try PerturbationStore(path: folder.file("p"), samples: 2, values: 8)
        let problem = #expect(throws: (any Error).self) { try store.rows([2]) }
        #expect(String(describing: problem).contains("could not be read"))
    }
}
