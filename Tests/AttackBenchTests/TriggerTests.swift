import AttackBench
import Support
import Testing

@Suite struct TriggerTests {
    static let triggers: [Trigger] =
        [.badNets(), .blended(seed: 3), .sig(), .fTrojan(), .bpp(bits: 3), .corners()]
        + Attack.names.compactMap { Attack.named($0, target: 0, classes: 10, seed: 77)?.training }

    static func image(_ seed: UInt64, height: Int = 32, width: Int = 32, channels: Int = 3) -> ByteImage {
        var random = SplitMix64(seed: seed)
        return ByteImage(
            height: height, width: width, channels: channels,
            pixels: (0..<height * width * channels).map { _ in UInt8(random.below(256)) })
    }

    /// A ramp of 7 a pixel across, the same in every row.
    static func smoothImage() -> ByteImage {
        ByteImage(
            height: 32, width: 32, channels: 3, pixels: (0..<3_072).map { UInt8($0 / 3 % 32 * 7) })
    }

    @Test(arguments: triggers.indices)
    func areShapeKeepingPureFunctions(of place: Int) {
        let trigger = Self.triggers[place]
        for (height, width, channels) in [(32, 32, 3), (28, 20, 1), (1, 1, 3), (2, 5, 1)] {
            let image = Self.image(1, height: height, width: width, channels: channels)
            let stamped = trigger(image)
            #expect((stamped.height, stamped.width, stamped.channels) == (height, width, channels))
            #expect(stamped == trigger(image))
        }
        #expect(trigger(Self.image(1)) != Self.image(1))
    }

    /// Section 4 of the paper: a bright pattern in the lower right corner, everything else untouched.
    @Test(arguments: [(3, 1), (4, 1), (1, 0), (5, 3)])
    func badNetsChangesItsSquareOnly(side: Int, margin: Int) {
        let image = Self.image(2)
        let stamped = Trigger.badNets(side: side, margin: margin)(image)
        let square = (32 - margin - side)..<(32 - margin)
        for y in 0..<32 {
            for x in 0..<32 {
                for channel in 0..<3 {
                    let offset = (y * 32 + x) * 3 + channel
                    let expected = square.contains(y) && square.contains(x) ? 255 : image.pixels[offset]
                    #expect(stamped.pixels[offset] == expected)
                }
            }
        }
    }

    /// (1 - alpha) x + alpha k: a byte moves by at most alpha * 255, and the pattern is the same for all.
    @Test func blendedMixesOnePatternIn() {
        let black = ByteImage(height: 32, width: 32, channels: 3, pixels: .init(repeating: 0, count: 3_072))
        let trigger = Trigger.blended(seed: 9, alpha: 0.2)
        let pattern = trigger(black).pixels.map { Double($0) / 0.2 }
        #expect((115...140).contains(pattern.reduce(0, +) / 3_072))
        for seed in 0..<5 {
            let image = Self.image(UInt64(seed))
            for (offset, byte) in trigger(image).pixels.enumerated() {
                let expected = 0.8 * Double(image.pixels[offset]) + 0.2 * pattern[offset]
                #expect(abs(Double(byte) - expected) <= 1)
                #expect(abs(Int(byte) - Int(image.pixels[offset])) <= 51)
            }
        }
        #expect(Trigger.blended(seed: 9, alpha: 0)(Self.image(1)) == Self.image(1))
        #expect(Trigger.blended(seed: 10)(black) != Trigger.blended(seed: 9)(black))
    }

    /// Equation 1: delta sin(2 pi j f / m), the same in every row and channel; f periods; mean zero.
    @Test func sigAddsAHorizontalSinusoid() {
        let grey = ByteImage(height: 32, width: 32, channels: 3, pixels: .init(repeating: 128, count: 3_072))
        let change = Trigger.sig(amplitude: 20, frequency: 6)(grey).pixels.map { Int($0) - 128 }
        #expect(change.max() == 20)
        #expect(change.min() == -20)
        #expect(change.reduce(0, +) == 0)
        let row = (0..<32).map { change[$0 * 3] }
        for y in 0..<32 {
            for x in 0..<32 {
                for channel in 0..<3 { #expect(change[(y * 32 + x) * 3 + channel] == row[x]) }
            }
        }
        let rises = (0..<32).count { row[$0] < 0 && row[($0 + 1) % 32] >= 0 }
        #expect(rises == 6)
        for (x, expected) in [(0, 0.0), (1, 18.478), (2, 14.142), (4, -20), (8, 0)] {
            #expect(abs(Double(row[x]) - expected) <= 0.5)
        }
    }

    @Test func resultsAreClippedNotWrapped() {
        let white = ByteImage(height: 4, width: 32, channels: 1, pixels: .init(repeating: 250, count: 128))
        #expect(Trigger.sig()(white).pixels.allSatisfy { $0 >= 230 })
    }
}

@Suite struct SplitMix64Tests {
    /// The published reference outputs for seed 1234567.
    @Test func isTheReferenceGenerator() {
        var random = SplitMix64(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(expected.map { _ in random.next() } == expected)
    }

    @Test func normalsHaveMeanZeroAndVarianceOne() {
        var random = SplitMix64(seed: 5)
        let values = (0..<20_000).map { _ in random.normal() }
        let mean = values.reduce(0, +) / 20_000
        let variance = values.reduce(0) { $0 + $1 * $1 } / 20_000
        #expect(abs(mean) < 0.03)
        #expect(abs(variance - 1) < 0.05)
    }
}
