import Foundation

/// A small, fast generator with one 64-bit word of state, the same on every machine.
///
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. Not for secrets.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    /// A generator of its own for every tuple of `keys`: mixing, not adding, keeps neighbours apart.
    public init(seed: UInt64, keys: UInt64...) {
        state = seed
        for key in keys {
            state = next() ^ key
        }
        state = next()
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Uniform in [0, 1), from the upper 53 bits.
    public mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Uniform in [range.lowerBound, range.upperBound).
    public mutating func uniform(_ range: Range<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * unit()
    }

    /// Uniform in 0..<bound, without bias (Lemire, "Fast random integer generation in an interval", 2019).
    public mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0, "the bound is positive")
        let bound = UInt64(bound)
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }

    /// Standard normal (Box and Muller, 1958).
    public mutating func normal() -> Double {
        var u = unit()
        while u == 0 { u = unit() }
        return (-2 * log(u)).squareRoot() * cos(2 * .pi * unit())
    }

    /// The first `count` places of a random permutation of 0..<total (Fisher and Yates).
    public mutating func sample(_ count: Int, outOf total: Int) -> [Int] {
        precondition(count >= 0 && count <= total, "a sample is no larger than its population")
        var items = Array(0..<total)
        for index in 0..<count {
            items.swapAt(index, index + below(total - index))
        }
        return Array(items.prefix(count))
    }
}
