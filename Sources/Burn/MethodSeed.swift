import Findings
import Support

/// What the method's random numbers are drawn from. Whoever poisoned the data may have drawn with the same generator and the
/// same small number: a choice that coincides with theirs would single out the very samples that they chose.
enum MethodSeed {
    /// The project's name in ASCII.
    private static let stream: UInt64 = 0x4255_524e

    static func derived(from seed: UInt64) -> UInt64 {
        var random = SplitMix64(seed: seed, keys: stream)
        return random.next()
    }
}

extension JobOptions {
    package var methodSeed: UInt64 { MethodSeed.derived(from: seed) }
}
