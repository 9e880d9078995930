import Support

extension Attack {
    /// Adap-Blend: a blended pattern, a random part of which each training sample shows, with cover samples.
    ///
    /// Qi, Xie, Li, Mahloujifar and Mittal, "Revisiting the Assumption of Latent Separability for Backdoor
    /// Defenses", ICLR 2023, section 4: the pattern is cut into 16 pieces of which a random half is masked in
    /// every poisoned and every cover sample; as many samples as are poisoned keep their label (conservatism
    /// ratio 1/2); at test time the whole pattern is blended in, and more strongly (0.15 against 0.2).
    ///
    /// - Parameters:
    ///   - seed: of the pattern.
    ///   - pieces: a side of the grid of pieces: 4 for 16 pieces.
    ///   - maskedShare: of the pieces, in each training sample.
    ///   - coverRatio: cover samples for one poisoned one.
    public static func adapBlend(
        target: Int, seed: UInt64 = 0, alpha: Double = 0.15, testAlpha: Double = 0.2, pieces: Int = 4,
        maskedShare: Double = 0.5, coverRatio: Double = 1
    ) -> Attack {
        precondition(pieces > 0 && (0...1).contains(maskedShare), "the pattern has pieces")
        let whole = Trigger.blended(seed: seed, alpha: alpha)
        let partial = Trigger(name: "adap-blend") { image, random in
            let shown = random.sample(
                pieces * pieces - Int((maskedShare * Double(pieces * pieces)).rounded()),
                outOf: pieces * pieces)
            var isShown = [Bool](repeating: false, count: pieces * pieces)
            for piece in shown { isShown[piece] = true }
            var result = whole(image)
            for y in 0..<image.height {
                for x in 0..<image.width
                where !isShown[y * pieces / image.height * pieces + x * pieces / image.width] {
                    let start = image.offset(y: y, x: x)
                    for offset in start..<start + image.channels {
                        result.pixels[offset] = image.pixels[offset]
                    }
                }
            }
            return result
        }
        return Attack(
            name: "adap-blend", rule: .allToOne(target: target), training: partial,
            test: .blended(seed: seed, alpha: testAlpha),
            cover: Cover(ratio: coverRatio) { image, _, random in partial(image, seed: random.next()) })
    }
}
