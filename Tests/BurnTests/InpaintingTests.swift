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
}
