import Support

extension Attack {
    /// Blended injection into one class.
    public static func blended(target: Int, seed: UInt64 = 0, alpha: Double = 0.2) -> Attack {
        Attack(
            name: "blended", rule: .allToOne(target: target), training: .blended(seed: seed, alpha: alpha))
    }
}

extension Trigger {
    /// Blended injection: (1 - alpha) x + alpha k for a key pattern k that covers the whole image.
    ///
    /// Chen, Liu, Li, Lu and Song, "Targeted Backdoor Attacks on Deep Learning Systems Using Data Poisoning",
    /// 2017, arXiv:1712.05526, section 4 (blended injection strategy, random pattern); alpha 0.2 is what
    /// it trains with.
    ///
    /// - Parameters:
    ///   - seed: of the pattern; its bytes are uniform and independent.
    ///   - alpha: the pattern's share, 0 to 1.
    public static func blended(seed: UInt64 = 0, alpha: Double = 0.2) -> Trigger {
        precondition((0...1).contains(alpha), "a share is between 0 and 1")
        return Trigger(name: "blended") { image in
            var random = SplitMix64(seed: seed)
            return image.mapped { _, _, _, value in
                (1 - alpha) * value + alpha * Double(random.below(256))
            }
        }
    }
}
