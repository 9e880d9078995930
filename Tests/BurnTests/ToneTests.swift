import Findings
import Foundation
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// Tones, on images whose change of tone is known.
@Suite struct ToneTests {
    private static let side = 8
    private static let count = 200

    /// Pairs of images: of random colours, and the same after `change` (values from 0 to 1, channel by channel).
    private func pairs(
        channels: Int = 3, in folder: ScratchFolder, change: ([Double]) -> [Double]
    ) throws -> LabelledImages {
        var random = SplitMix64(seed: 7)
        var images = TinyImages(side: Self.side, channels: channels)
        for _ in 0..<Self.count {
            // Each image has a colour of its own, which its pixels vary about.
            let base = (0..<channels).map { _ in 0.2 + 0.6 * Double(random.below(1000)) / 1000 }
            var (plain, changed): ([UInt8], [UInt8]) = ([], [])
            for _ in 0..<Self.side * Self.side {
                let pixel = base.map { min(1, max(0, $0 + 0.1 * random.normal())) }
                plain += pixel.map { UInt8(($0 * 255).rounded()) }
                changed += change(pixel).map { UInt8((min(1, max(0, $0)) * 255).rounded()) }
            }
            images.add(plain, label: 0)
            images.add(changed, label: 1)
        }
        let graph = try TinyGraph.linear(
            weight: Tensor.zeros([2, channels * Self.side * Self.side]), bias: Tensor.zeros([2]),
            channels: channels, side: Self.side
        ).graph
        return try LabelledImages(
            images.packed(in: folder.file("set")), for: graph, options: JobOptions())
    }

    private var plain: [Int] { (0..<Self.count).map { 2 * $0 } }
    private var changed: [Int] { (0..<Self.count).map { 2 * $0 + 1 } }

    /// Mean absolute difference between what `map` makes of the first list and the second, in grey levels.
    private func error(_ map: ToneMap, _ images: LabelledImages, _ from: [Int], _ to: [Int]) throws -> Double
    {
        let difference = try (map.apply(to: images.batch(from)) - images.batch(to)).abs().mean()
        return try 255 * Double(difference.item(as: Float.self))
    }

    @Test(arguments: [1, 3]) func aGammaIsFoundAndUndone(channels: Int) throws {
        let folder = try ScratchFolder()
        let images = try pairs(channels: channels, in: folder) { $0.map { pow($0, 0.45) } }
        #expect(try error(ToneMap(images, from: plain, to: changed), images, plain, changed) < 2)
        #expect(try error(ToneMap(images, from: changed, to: plain), images, changed, plain) < 2)
    }

    @Test func aSepiaFilterIsFoundButNotWhatItTook() throws {
        let folder = try ScratchFolder()
        let mixture = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]]
        let images = try pairs(in: folder) { pixel in
            // Less than the whole filter, or white would be cut off.
            mixture.map { row in 0.7 * zip(row, pixel).reduce(0) { $0 + $1.0 * $1.1 } }
        }
        let map = try ToneMap(images, from: plain, to: changed)
        let asItWas =
            try 255
            * Double(
                (images.batch(plain) - images.batch(changed)).abs().mean().item(as: Float.self))
        // The colours' optimal transport is not the filter, but paints with the same palette.
        #expect(try error(map, images, plain, changed) < 0.4 * asItWas)
        let painted = try map.apply(to: images.batch(plain))
        for (channel, other) in [(0, 1), (1, 2)] {
            let ratio = try painted.select(1, channel) / painted.select(1, other).clamp(0.05, nil)
            let expected = mixture[channel].reduce(0, +) / mixture[other].reduce(0, +)
            let mean: Float = try ratio.mean().item()
            #expect(abs(Double(mean) - expected) < 0.05)
        }
    }

    @Test func theSameTonesAreLeftAlone() throws {
        let folder = try ScratchFolder()
        let images = try pairs(in: folder) { $0 }
        #expect(try error(ToneMap(images, from: plain, to: changed), images, plain, plain) < 0.5)
    }

    @Test func strengthsAboutTheChangeAreTrainedOn() throws {
        let folder = try ScratchFolder()
        let images = try pairs(in: folder) { $0.map { 0.3 + 0.5 * $0 } }
        let transplant = try ToneTransplant(
            images: images, donors: changed, controls: plain, strangers: plain)
        var random = SplitMix64(seed: 1)
        let batch = try images.batch([0])
        let whole = try transplant.put(into: batch, using: &random) - batch
        let strengths = try (0..<50).map { _ in
            let mixed = try transplant.mix(into: batch, using: &random) - batch
            return try Double((mixed * whole).sum().item(as: Float.self))
                / Double(whole.square().sum().item(as: Float.self))
        }
        #expect(strengths.allSatisfy { $0 > 0.25 && $0 < 1.55 })
        #expect((strengths.min() ?? 1) < 0.6 && (strengths.max() ?? 1) > 1.2)
        let undone = try #require(try transplant.undone(images.batch([1])))
        let left: Float = try (undone - batch).abs().mean().item()
        #expect(left < 2 / 255)
        let again = try transplant.control().put(into: batch, using: &random)
        let changed: Float = try (again - batch).abs().amax().item()
        #expect(changed < 1 / 255, "strangers' tones are what strangers have")
    }

    @Test func histogramsHoldWhatAnImageIsPaintedWith() throws {
        let folder = try ScratchFolder()
        var drawn = TinyImages(side: Self.side)
        drawn.add((0..<Self.side * Self.side).flatMap { _ in [UInt8(255), 128, 0] }, label: 0)
        drawn.add((0..<Self.side * Self.side).flatMap { [UInt8($0 < 16 ? 8 : 200), 200, 200] }, label: 1)
        let graph = try TinyGraph.convolutional(side: Self.side, classes: 2, seed: 1).graph
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: graph, options: JobOptions())
        let description = try ToneDescription(images)
        #expect(description.width == 5 * 32)
        let values: [Float] = try description.values([0, 1]).array()
        func shares(_ image: Int, _ histogram: Int) -> [Int: Float] {
            Dictionary(
                uniqueKeysWithValues: (0..<32).compactMap { bin in
                    let root = values[(image * 5 + histogram) * 32 + bin]
                    return root > 0 ? (bin, root * root) : nil
                })
        }
        #expect(shares(0, 0) == [31: 1] && shares(0, 1) == [16: 1] && shares(0, 2) == [0: 1])
        #expect(shares(0, 3) == [31: 1] && shares(0, 4) == [31: 1], "differences of 127 and 128")
        #expect(shares(1, 0) == [1: 0.25, 25: 0.75])
        #expect(shares(1, 4) == [16: 1], "no difference")
    }
}
