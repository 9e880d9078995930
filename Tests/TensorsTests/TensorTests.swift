import Support
import Tensors
import Testing

@Suite struct TensorTests {
    let a: Tensor
    let b: Tensor

    init() throws {
        a = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        b = try Tensor([10, 20, 30] as [Float])
    }

    @Test func arithmeticBroadcasts() throws {
        #expect(try (a + b).array(as: Float.self) == [11, 22, 33, 14, 25, 36])
        #expect(try (b - a).array(as: Float.self) == [9, 18, 27, 6, 15, 24])
        #expect(try (2 * a - 1).array(as: Float.self) == [1, 3, 5, 7, 9, 11])
        #expect(try (1 - a).array(as: Float.self) == [0, -1, -2, -3, -4, -5])
        #expect(try (60 / b).array(as: Float.self) == [6, 3, 2])
        #expect(try (-b).array(as: Float.self) == [-10, -20, -30])
        #expect(try (a .> 3.0).array(as: Bool.self) == [false, false, false, true, true, true])
        #expect(try (!(a .<= a)).array(as: Bool.self).allSatisfy { !$0 })
    }

    @Test func reductionsFollowTheirDimensions() throws {
        #expect(try a.sum().item(as: Float.self) == 21)
        #expect(try a.sum([0]).array(as: Float.self) == [5, 7, 9])
        #expect(try a.mean([1], keepDimensions: true).shape == [2, 1])
        #expect(try a.amax([1]).array(as: Float.self) == [3, 6])
        #expect(try a.argmax(-1).array(as: Int.self) == [2, 2])
        #expect(try a.variance([1]).array(as: Float.self) == [1, 1])
        #expect(abs(try a.variance([1], correction: 0).item(at: 0) - 2 / 3) < 1e-6)
        #expect(try Tensor([3, 4] as [Float]).norm().item(as: Float.self) == 5)
        #expect(try a.norm([1], order: .infinity).array(as: Float.self) == [3, 6])
        #expect(try a.topK(2).indices.array(as: Int.self) == [2, 1, 2, 1])
        #expect(try a.sorted(1, descending: true).values.array(as: Float.self) == [3, 2, 1, 6, 5, 4])
        #expect(try a.quantile(0.5, dimension: 1).array(as: Float.self) == [2, 5])
        #expect(try a.softmax(1).sum([1]).array(as: Float.self).allSatisfy { abs($0 - 1) < 1e-6 })
    }

    @Test func indexingPicksWhatItSays() throws {
        #expect(try a.rows([1, 0, 1]).array(as: Float.self) == [4, 5, 6, 1, 2, 3, 4, 5, 6])
        #expect(try a.select(1, 2).array(as: Float.self) == [3, 6])
        #expect(try a.narrow(1, 1, 2).array(as: Float.self) == [2, 3, 5, 6])
        #expect(try a.pick(Tensor([2, 0])).array(as: Float.self) == [3, 4])
        #expect(try a.masked(a .> 4.0).array(as: Float.self) == [5, 6])
        #expect(try (b .>= 20.0).nonzeroIndices().array(as: Int.self) == [1, 2])
        #expect(try Tensor([1, 0]).oneHot(classes: 3).array(as: Float.self) == [0, 1, 0, 1, 0, 0])
        #expect(try Tensor.cat([a, a], 1).shape == [2, 6])
        #expect(try Tensor.stack([b, b]).shape == [2, 3])
        #expect(try (a .> 3.0).choose(a, 0).array(as: Float.self) == [0, 0, 0, 4, 5, 6])
        #expect(try Tensor([2, 0, 2]).binCount(minimumLength: 4).array(as: Int.self) == [1, 0, 2, 0])
    }

    @Test func shapesChange() throws {
        #expect(try a.transpose().array(as: Float.self) == [1, 4, 2, 5, 3, 6])
        #expect(try a.reshape([3, -1]).shape == [3, 2])
        #expect(try b.pad([1, 1]).array(as: Float.self) == [0, 10, 20, 30, 0])
        #expect(try a.pad([1, 1], .reflect).array(as: Float.self) == [2, 1, 2, 3, 2, 5, 4, 5, 6, 5])
        #expect(try b.roll([1], [0]).array(as: Float.self) == [30, 10, 20])
        #expect(try b.flip([0]).array(as: Float.self) == [30, 20, 10])
        #expect(try b.clamp(15, 25).array(as: Float.self) == [15, 20, 25])
    }

    @Test func viewsShareMemoryAndCopiesDoNot() throws {
        let copy = try a.clone()
        try a.select(0, 0).fillInPlace(9)
        #expect(try a.array(as: Float.self) == [9, 9, 9, 4, 5, 6])
        #expect(try copy.array(as: Float.self) == [1, 2, 3, 4, 5, 6])
        #expect(try a.select(0, 0).sharesStorage(with: a))
        #expect(!copy.sharesStorage(with: a))
    }

    @Test(arguments: [
        ScalarType.uint8, .int8, .int16, .int32, .int64, .float16, .float32, .float64, .bfloat16,
    ])
    func smallIntegersSurviveEveryType(type: ScalarType) throws {
        let converted = try a.to(type)
        #expect(converted.type == type)
        #expect(try converted.array(as: Double.self) == [1, 2, 3, 4, 5, 6])
        let raw = try converted.bytes()
        #expect(raw.count == 6 * type.byteCount)
        let again = try raw.withUnsafeBytes { try Tensor(bytes: $0, type: type, shape: [2, 3]) }
        #expect(try again.array(as: Double.self) == [1, 2, 3, 4, 5, 6])
    }

    @Test func stridedBytesSurviveARoundTrip() throws {
        // Columns first, one unused element between columns.
        let raw = try a.bytes(strides: [1, 3])
        #expect(raw.count == 8 * 4)
        let again = try raw.withUnsafeBytes {
            try Tensor(bytes: $0, type: .float32, shape: [2, 3], strides: [1, 3])
        }
        #expect(again.strides == [1, 3])
        #expect(try again.array(as: Float.self) == [1, 2, 3, 4, 5, 6])
    }

    @Test func emptyTensorsAreAllowed() throws {
        let empty = try Tensor([Float](), shape: [0, 3])
        #expect(try empty.bytes().isEmpty)
        #expect(try empty.sum().item(as: Float.self) == 0)
    }
}

extension Tensor {
    fileprivate func item(at index: Int) throws -> Double { try select(0, index).item() }
}
