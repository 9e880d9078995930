import Foundation
import Tensors
import Testing

@testable import Burn

/// A replaced rectangle against triggers that are known.
@Suite struct ReplacedRegionTests {
    private static let (side, count) = (8, 24)

    /// Moments of `images`, (n, 1, H, W).
    private func moments(_ images: Tensor) throws -> Moments {
        let mean = try images.mean([0])
        let variance = try (images - mean).square().mean([0])
        return Moments(
            mean: mean, variance: variance, kurtosis: try variance.fullLike(1.8), count: images.shape[0])
    }

    private func images(_ seed: UInt64) throws -> Tensor {
        try Tensor.rand([Self.count, 1, Self.side, Self.side], generator: Generator(seed: seed))
    }

    private func estimate(_ changed: (Tensor) throws -> Tensor) throws -> ReplacedRegion? {
        try ReplacedRegion(
            TriggerMaterial(
                boundary: Tensor.zeros([1, Self.side, Self.side]), suspects: moments(changed(images(1))),
                reference: moments(images(2)), lowest: Tensor.zeros([1, 1, 1, 1]),
                highest: Tensor.ones([1, 1, 1, 1])))
    }

    /// (1, H, W): 1 on a rectangle.
    private func rectangle(_ rows: Range<Int>, _ columns: Range<Int>) throws -> Tensor {
        let mask = (0..<Self.side * Self.side).map { place -> Float in
            rows.contains(place / Self.side) && columns.contains(place % Self.side) ? 1 : 0
        }
        return try Tensor(mask, shape: [1, Self.side, Self.side])
    }

    @Test func aStickerIsFoundPutInAndTakenOut() throws {
        let mask = try rectangle(1..<4, 2..<5)
        let found = try #require(try estimate { try $0 * (mask * -1 + 1) + mask * 0.95 })
        let clean = try images(3)
        let wanted = try clean * (mask * -1 + 1) + mask * 0.95
        let stamped = try found.inserted(into: clean, strengths: Tensor.ones([Self.count]))
        #expect(try (stamped - wanted).abs().amax().item(as: Float.self) < 1e-5)
        let half = try found.inserted(into: clean, strengths: Tensor.full([Self.count], 0.5))
        #expect(try (half * 2 - clean - stamped).abs().amax().item(as: Float.self) < 1e-5)
        let bare = try #require(try found.removed(from: stamped))
        #expect(try ((bare - stamped) * (mask * -1 + 1)).abs().amax().item(as: Float.self) < 1e-6)
        let filled = try Double((bare * mask).sum().item(as: Float.self)) / 9 / Double(Self.count)
        #expect(abs(filled - 0.5) < 0.15, "as around it, not as the sticker")
        #expect(found.leavesImage && abs(found.transparency - (1 - 9.0 / 64)) < 0.03)
        #expect(abs(found.norm - Double(try found.change().norm().item(as: Float.self))) < 1e-6)
    }

    /// Scattered values, one that is added everywhere, half of the image, and nothing at all.
    @Test func otherTriggersAreNone() throws {
        let corners = try rectangle(0..<1, 0..<1) + rectangle(7..<8, 7..<8)
        #expect(try estimate { try $0 * (corners * -1 + 1) + corners * 0.95 } == nil)
        #expect(try estimate { try $0 * 0.8 + 0.2 } == nil)
        let half = try rectangle(0..<4, 0..<8)
        #expect(try estimate { try $0 * (half * -1 + 1) + half * 0.95 } == nil)
        #expect(try estimate { $0 } == nil)
    }
}
