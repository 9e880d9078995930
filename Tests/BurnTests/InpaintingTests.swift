import Tensors
import Testing

@testable import Burn

@Suite struct InpaintingTests {
    private static let side = 16

    /// (3, 16, 16): what is usual, by place.
    private func background() throws -> Tensor {
        try Tensor((0..<3 * 256).map { Float($0 % 7) / 20 + 0.2 }, shape: [3, Self.side, Self.side])
    }

    /// True beside a square of `size` at (y, x), in all channels or in the first alone.
    private func mask(_ size: Int, at y: Int, _ x: Int, channels: Int = 3) throws -> Tensor {
        let known = (0..<3 * 256).map { place -> Float in
            let (channel, row, column) = (place / 256, place % 256 / Self.side, place % Self.side)
            let isCovered =
                channel < channels && (y..<y + size).contains(row) && (x..<x + size).contains(column)
            return isCovered ? 0 : 1
        }
        return try Tensor(known, shape: [3, Self.side, Self.side]) .> 0.5
    }

    private func largestError(_ a: Tensor, _ b: Tensor) throws -> Float {
        try (a - b).abs().amax().item(as: Float.self)
    }

    /// An image that is as usual, but brighter or darker, is filled in exactly, wherever the square is.
    @Test(arguments: [(3, 12, 12), (3, 13, 13), (6, 4, 5), (15, 0, 1), (1, 8, 8)])
    func aUniformDifferenceGoesOnBehindTheSquare(size: Int, y: Int, x: Int) throws {
        let background = try background()
        let isKnown = try mask(size, at: y, x)
        let inpainting = try Inpainting(isKnown: isKnown, background: background)
        let offsets = try Tensor([0.3, -0.15, 0] as [Float]).perSample(rank: 4)
        let images = try background.unsqueeze(0) + offsets
        let covered = try isKnown.choose(images, 1.0)
        #expect(try largestError(inpainting.fill(covered), images) < 1e-5)
    }

    @Test func whatIsKnownStaysAndChannelsAreFilledByThemselves() throws {
        let background = try background()
        let isKnown = try mask(4, at: 2, 2, channels: 1)
        let random = try Tensor.randn([5, 3, Self.side, Self.side], generator: Generator(seed: 1))
        let filled = try Inpainting(isKnown: isKnown, background: background).fill(random)
        #expect(try largestError(isKnown.choose(filled, 0.0), isKnown.choose(random, 0.0)) == 0)
        #expect(try largestError(filled.narrow(1, 1, 2), random.narrow(1, 1, 2)) == 0)
        #expect(try largestError(filled.narrow(1, 0, 1), random.narrow(1, 0, 1)) > 0.1)
    }

    /// A slope goes on behind the square, with an error of one step at most.
    @Test func theNearestCountMost() throws {
        let slope = try Tensor((0..<3 * 256).map { Float($0 % 16) / 20 }, shape: [3, Self.side, Self.side])
        let isKnown = try mask(3, at: 6, 6)
        let inpainting = try Inpainting(
            isKnown: isKnown, background: Tensor.zeros([3, Self.side, Self.side]))
        let image = try slope.unsqueeze(0)
        #expect(try largestError(inpainting.fill(image), image) < 0.051)
    }

    /// With nothing to go by, what is usual is all that can be said.
    @Test func aCoveredImageBecomesTheBackground() throws {
        let background = try background()
        let nothing = try Tensor.zeros([3, Self.side, Self.side]) .> 0.5
        let filled = try Inpainting(isKnown: nothing, background: background)
            .fill(Tensor.ones([2, 3, Self.side, Self.side]))
        #expect(try largestError(filled, background.unsqueeze(0)) == 0)
    }

    /// Against the mean over the narrowest square with anything known, place by place.
    @Test(arguments: [0.05, 0.5, 0.97])
    func squaresAreTheNarrowestKnown(share: Double) throws {
        let (height, width) = (9, 14)
        let shape = [2, height, width]
        let generator = try Generator(seed: 3)
        let isKnown = try Tensor.rand(shape, generator: generator) .> share
        let known: [Bool] = try isKnown.array()
        let background = try Tensor.rand(shape, generator: generator)
        let images = try Tensor.randn([3] + shape, generator: generator)
        let filled: [Float] = try Inpainting(isKnown: isKnown, background: background).fill(images).array()
        let (usual, given): ([Float], [Float]) = (try background.array(), try images.array())
        for place in given.indices {
            let inImage = place % known.count
            let (channel, y, x) = (
                inImage / (height * width), inImage / width % height, inImage % width
            )
            guard !known[inImage] else {
                #expect(filled[place] == given[place])
                continue
            }
            var expected = usual[inImage]
            for half in [1, 2, 4, 8, 16] {
                let around = (max(0, y - half)...min(height - 1, y + half)).flatMap { row in
                    (max(0, x - half)...min(width - 1, x + half)).map {
                        (channel * height + row) * width + $0
                    }
                }.filter { known[$0] }
                guard !around.isEmpty else { continue }
                let first = place - inImage
                expected +=
                    around.reduce(0) { $0 + given[first + $1] - usual[$1] } / Float(around.count)
                break
            }
            #expect(abs(filled[place] - expected) < 1e-5)
        }
    }
}
