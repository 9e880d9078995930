import Foundation
import Testing

@testable import AttackBench

/// Triggers whose change is small or not additive.
@Suite struct InvisibleTriggerTests {
    /// `torch.nn.functional.interpolate(torch.eye(4)[None, None], size=(7, 4), mode="bicubic",
    /// align_corners=True)`: each output row's weights on four points.
    @Test func controlPointsAreEnlargedAsPyTorchDoes() {
        let expected: [[Double]] = [
            [1, 0, 0, 0], [0.5, 0.59375, -0.09375, 0], [0, 1, 0, 0], [-0.09375, 0.59375, 0.59375, -0.09375],
            [0, 0, 1, 0], [0, -0.09375, 0.59375, 0.5], [0, 0, 0, 1],
        ]
        for (found, expected) in zip(WarpField.weights(4, 7), expected) {
            var sums = [Double](repeating: 0, count: 4)
            for (point, weight) in found { sums[point] += weight }
            for (sum, value) in zip(sums, expected) { #expect(abs(sum - value) < 1e-12) }
        }
    }

    @Test func warpsMoveLittleAndNotBeyondTheImage() {
        let field = WarpField(seed: 3, gridSize: 4, strength: 0.5)
        #expect(abs(field.control.map(abs).reduce(0, +) / 32 - 1) < 1e-12)
        let still = WarpField(seed: 3, gridSize: 4, strength: 0)
        let image = TriggerTests.image(1)
        #expect(still.warp(image) { 0 } == image)
        // On a ramp of 7 a pixel, a shift by less than a pixel and a half changes a byte by less than 11.
        let ramp = TriggerTests.smoothImage()
        let change = zip(field.warp(ramp) { 0 }.pixels, ramp.pixels).map { abs(Int($0) - Int($1)) }
        #expect(change.allSatisfy { $0 <= 10 })
        #expect(change.contains { $0 > 0 })
    }

    /// The two frequencies, and no other, change, by the magnitude.
    @Test func fTrojanChangesTwoFrequencies() {
        let grey = ByteImage(height: 32, width: 32, channels: 3, pixels: .init(repeating: 128, count: 3_072))
        let stamped = Trigger.fTrojan(magnitude: 200)(grey)
        let blue = (0..<1_024).map { (Double(stamped.pixels[$0 * 3 + 2]) - 128) / 2.03211 }
        for (v, h, expected) in [
            (15, 15, 200.0), (31, 31, 200), (0, 0, 0), (15, 31, 0), (14, 15, 0), (31, 30, 0),
        ] {
            var coefficient = 0.0
            for y in 0..<32 {
                for x in 0..<32 {
                    let wave = { (place: Int, frequency: Int) in
                        cos(Double.pi * (Double(place) + 0.5) * Double(frequency) / 32)
                    }
                    coefficient += blue[y * 32 + x] * wave(y, v) * wave(x, h)
                }
            }
            coefficient *= (v == 0 ? 1 : 2) / 32.0
            #expect(abs(coefficient - expected) < 4, "(\(v), \(h)): \(coefficient)")
        }
        // Two waves of 2 / 32 * 30 in chroma, times 2.03 in blue.
        let change = zip(Trigger.fTrojan()(grey).pixels, grey.pixels).map { abs(Int($0) - Int($1)) }
        #expect((change.max() ?? 0) <= 8)
    }

    @Test(arguments: [1, 3, 5, 8])
    func bppLeavesItsLevelsOnly(bits: Int) {
        let image = TriggerTests.image(7)
        let levels = Set((0..<1 << bits).map { ByteImage.byte(Double($0) * 255 / Double(1 << bits - 1)) })
        let stamped = Trigger.bpp(bits: bits)(image)
        #expect(Set(stamped.pixels).isSubset(of: levels))
        if bits == 8 { #expect(stamped == image) }
    }

    /// Floyd-Steinberg: 128 with 2 levels starts 255, then 128 - 127 * 7/16 = 72 becomes 0, and so on; the
    /// mean stays.
    @Test func bppDiffusesTheError() {
        let grey = ByteImage(height: 16, width: 16, channels: 1, pixels: .init(repeating: 128, count: 256))
        let stamped = Trigger.bpp(bits: 1)(grey)
        #expect(Array(stamped.pixels.prefix(3)) == [255, 0, 255])
        let mean = stamped.pixels.map(Double.init).reduce(0, +) / 256
        #expect(abs(mean - 128) < 6)
    }

    @Test func cornersAreTheSameAfterAFlip() {
        let image = TriggerTests.image(3)
        let stamped = Trigger.corners()(image)
        for y in 0..<32 {
            for x in 0..<32 {
                let offset = (y * 32 + x) * 3
                let isCorner = (y < 3 || y > 28) && (x < 3 || x > 28)
                #expect(isCorner || stamped.pixels[offset] == image.pixels[offset])
                if isCorner {
                    #expect([0, 255].contains(stamped.pixels[offset]))
                    #expect(stamped.pixels[offset] == stamped.pixels[(y * 32 + 31 - x) * 3])
                }
            }
        }
    }
}
