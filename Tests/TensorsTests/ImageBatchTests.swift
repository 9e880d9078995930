import Support
import Tensors
import Testing

@Suite struct ImageBatchTests {
    // Two images of 2 x 3 pixels with 3 channels: bytes 0...35.
    let bytes = (0..<36).map { UInt8($0 * 7) }

    @Test func gatheringEqualsTheFormula() throws {
        let mean: [Float] = [0.1, 0.2, 0.3]
        let std: [Float] = [0.5, 1, 2]
        let batch = try bytes.withUnsafeBytes {
            try Tensor.images(
                $0, count: 2, height: 2, width: 3, channels: 3, indices: [1, 0, 1], mean: mean, std: std)
        }
        #expect(batch.shape == [3, 3, 2, 3])
        #expect(batch.isChannelsLast)
        let found = try batch.array(as: Float.self)
        var expected: [Float] = []
        for image in [1, 0, 1] {
            for c in 0..<3 {
                for pixel in 0..<6 {
                    let byte = Float(bytes[image * 18 + pixel * 3 + c])
                    expected.append((byte / 255 - mean[c]) / std[c])
                }
            }
        }
        for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-6) }
    }

    @Test(arguments: [[2], [-1], [0, .max]])
    func indicesOutsideAreRefused(indices: [Int]) {
        #expect(throws: TensorError.self) {
            _ = try bytes.withUnsafeBytes {
                try Tensor.images($0, count: 2, height: 2, width: 3, channels: 3, indices: indices)
            }
        }
    }

    @Test func sizesThatDoNotFitAreRefused() {
        bytes.withUnsafeBytes { bytes in
            for (count, height, width, channels) in [
                (3, 2, 3, 3), (2, 2, 3, 0), (-1, 2, 3, 3), (2, .max, .max, 3), (.max, 2, 3, 3), (2, 0, 3, 3),
            ] {
                #expect(throws: TensorError.self) {
                    _ = try Tensor.images(
                        bytes, count: count, height: height, width: width, channels: channels, indices: [0])
                }
            }
            #expect(throws: TensorError.self) {
                _ = try Tensor.images(
                    bytes, count: 2, height: 2, width: 3, channels: 3, indices: [0], mean: [1, 2])
            }
            #expect(throws: TensorError.self) {
                _ = try Tensor.images(
                    bytes, count: 2, height: 2, width: 3, channels: 3, indices: [0], std: [0])
            }
        }
    }

    @Test(arguments: [false, true], [false, true])
    func shiftingEqualsPaddingAndCropping(reflect: Bool, channelsLast: Bool) throws {
        var images = try Tensor.randn([3, 2, 6, 7], generator: Generator(seed: 1))
        if channelsLast { images = try images.channelsLast() }
        let dy: [Int32] = [0, -2, 3], dx: [Int32] = [1, -3, 2]
        let flip = [false, true, true]
        let found = try images.shifted(dy: dy, dx: dx, flip: flip, reflect: reflect)
        let padded = try images.pad([4, 4, 4, 4], reflect ? .reflect : .constant(0))
        for n in 0..<3 {
            var expected = try padded.select(0, n).narrow(1, 4 + Int(dy[n]), 6).narrow(2, 4 + Int(dx[n]), 7)
            if flip[n] { expected = try expected.flip([2]) }
            #expect(try distance(found.select(0, n), expected) == 0)
        }
    }

    @Test func augmentationIsRepeatable() throws {
        let images = try Tensor.randn([8, 3, 8, 8], generator: Generator(seed: 1))
        var first = SplitMix64(seed: 4), second = SplitMix64(seed: 4), third = SplitMix64(seed: 5)
        let a = try images.randomlyCroppedAndFlipped(using: &first)
        let b = try images.randomlyCroppedAndFlipped(using: &second)
        let c = try images.randomlyCroppedAndFlipped(using: &third)
        #expect(try distance(a, b) == 0)
        #expect(try distance(a, c) > 0)
        #expect(throws: TensorError.self) {
            _ = try images.randomlyCroppedAndFlipped(padding: 8, using: &first)
        }
        #expect(throws: TensorError.self) {
            _ = try images.shifted(dy: [0], dx: [0], flip: [false])
        }
        #expect(throws: TensorError.self) {
            let shifts = [Int32](repeating: .min, count: 8)
            _ = try images.shifted(dy: shifts, dx: shifts, flip: [Bool](repeating: false, count: 8))
        }
    }

    @Test func generatorsRepeatThemselves() throws {
        let a = try Tensor.randn([10], generator: Generator(seed: 9))
        let b = try Tensor.randn([10], generator: Generator(seed: 9))
        let c = try Tensor.randn([10], generator: Generator(seed: 10))
        #expect(try distance(a, b) == 0)
        #expect(try distance(a, c) > 0)
        let order = try Tensor.randperm(50, generator: Generator(seed: 1)).array(as: Int.self)
        #expect(order.sorted() == Array(0..<50) && order != Array(0..<50))
    }

    @Test func theLoadedLibraryIsTheCompiledOne() throws {
        #expect(LibTorch.compiledVersion.split(separator: ".").count == 3)
        try LibTorch.checkVersion()
    }

    @Test func threadCountsBelongToTheThread() throws {
        let before = Threads.current
        defer { try? Threads.setCurrent(before) }
        try Threads.setCurrent(1)
        #expect(Threads.current == 1)
        #expect(throws: TensorError.self) { try Threads.setCurrent(0) }
    }
}
