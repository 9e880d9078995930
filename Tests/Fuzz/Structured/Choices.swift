/// The fuzzer's bytes as a stream of choices, from which a sound file is built that holds one hostile number or a few.
/// At the end of the bytes every choice is the first one, and every number the usual one.
struct Choices {
    private var input: Input
    /// Hostile numbers that may still be drawn.
    private var budget: Int

    init(_ input: Input) {
        self.input = input
        budget = 0
        budget = [1, 2, 4, 64][self.input.byte() % 4]
    }

    var isEmpty: Bool { input.isEmpty }

    mutating func below(_ count: Int) -> Int { count > 1 ? input.byte() % count : 0 }

    mutating func one<Element>(of list: [Element]) -> Element { list[below(list.count)] }

    /// True once in `rarity`; never at the end.
    mutating func rarely(_ rarity: Int = 4) -> Bool { input.byte() % rarity == rarity - 1 }

    static let wholes: [Int64] = [
        0, -1, 1, 2, -2, 1 << 31, 1 << 31 - 1, -(1 << 31), 1 << 32, 1 << 40, 1 << 50, 1 << 61, 1 << 62,
        -(1 << 62),
        .max, .max - 1, .min, .min + 1, 3, 7, 255, 256, 4_096, 4_097, 65_536, 1 << 20,
    ]

    static let reals: [Double] = [
        .nan, .infinity, -.infinity, -0.0, 0, 1, -1, 0.5, 1e-300, .leastNonzeroMagnitude, 1e9, 1e18, 9.3e18,
        -9.3e18, 1e19,
        1e38, 1e300,
        .greatestFiniteMagnitude, 9_223_372_036_854_775_808, -9_223_372_036_854_775_808,
    ]

    /// The usual number, or a hostile one.
    mutating func number(_ usual: Int64) -> Int64 {
        let byte = input.byte()
        guard byte >= 0xA0, budget > 0 else { return byte & 0x60 == 0x60 ? usual &+ Int64(byte & 3) : usual }
        budget -= 1
        return Self.wholes[(byte - 0xA0) % Self.wholes.count]
    }

    mutating func real(_ usual: Double) -> Double {
        let byte = input.byte()
        guard byte >= 0xA0, budget > 0 else { return usual }
        budget -= 1
        return Self.reals[(byte - 0xA0) % Self.reals.count]
    }

    /// One of the few numbers at the ends, of which several together are what goes wrong: differences of them, and steps
    /// from one to the next.
    mutating func extreme() -> Int64 {
        one(of: [.max, .min, 1, -1, 0, 1 << 62, -(1 << 62), .max - 1, .min + 1, 2])
    }

    /// The usual list, seldom with a number too many or too few.
    mutating func list(_ usual: [Int64]) -> [Int64] {
        let numbers = usual.map { number($0) }
        guard rarely(16) else { return numbers }
        return rarely(2) ? numbers.dropLast() : numbers + [1]
    }

    /// The usual sizes, or a shape of no or many elements: what begins with 0, and goes on with the largest numbers.
    mutating func shape(_ usual: [Int64]) -> [Int64] {
        let byte = input.byte()
        guard byte >= 0xC0, budget > 0 else { return usual.map { number($0) } }
        budget -= 1
        let large: [Int64] = [1 << 62, 1 << 50, 1 << 32, .max, 1 << 31, 3]
        let (a, b) = (large[below(large.count)], large[below(large.count)])
        switch byte & 7 {
        case 0: return [0, a, b]
        case 1: return [0, a]
        case 2: return [a, 0]
        case 3: return [0]
        case 4: return [a, b, 0]
        case 5: return [0, 0, a]
        case 6: return [a, b]
        default: return [1, 0, a, b]
        }
    }
}
