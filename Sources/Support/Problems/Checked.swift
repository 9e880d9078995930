/// Arithmetic on numbers from outside: nil where a result, or a number that it is made of, leaves its range.
///
/// Readers of foreign bytes compute sizes and places with these alone (`scripts/lint-arithmetic` finds what does not).
public enum Checked {
    /// - Returns: nil on overflow.
    @inlinable
    public static func sum(_ a: Int, _ b: Int) -> Int? {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? nil : sum
    }

    /// - Returns: nil on overflow.
    @inlinable
    public static func difference(_ a: Int, _ b: Int) -> Int? {
        let (difference, overflow) = a.subtractingReportingOverflow(b)
        return overflow ? nil : difference
    }

    /// - Returns: nil on overflow.
    @inlinable
    public static func product(_ a: Int, _ b: Int) -> Int? {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? nil : product
    }

    /// The product of all; nil on overflow, also of a product that a later 0 would undo.
    public static func product(_ numbers: some Sequence<Int>) -> Int? {
        var product = 1
        var isZero = false
        for number in numbers {
            if number == 0 {
                isZero = true
                continue
            }
            guard let next = Self.product(product, number) else { return nil }
            product = next
        }
        return isZero ? 0 : product
    }

    /// Elements of a tensor. The sizes that are not 0 are bounded together even where another is 0: with them strides
    /// are computed and lists made, whose lengths an empty tensor's other sizes must not choose.
    /// - Returns: nil for a negative size, and for more than `limit` elements.
    public static func elements(_ shape: some Sequence<Int>, limit: Int = .max) -> Int? {
        var count = 1
        var isEmpty = false
        for size in shape {
            guard size >= 0 else { return nil }
            if size == 0 {
                isEmpty = true
                continue
            }
            guard let next = Self.product(count, size), next <= limit else { return nil }
            count = next
        }
        return isEmpty ? 0 : count
    }

    /// `count` items from `start` on, where they lie in `whole`.
    @inlinable
    public static func range(_ start: Int, count: Int, in whole: Range<Int>) -> Range<Int>? {
        guard start >= whole.lowerBound, start <= whole.upperBound, count >= 0,
            count <= whole.upperBound - start
        else { return nil }
        return start..<start + count
    }

    /// A number with a point as a whole one, rounded down; nil for NaN, and for what lies outside `range`.
    public static func whole(_ number: Double, in range: ClosedRange<Int>) -> Int? {
        guard let whole = Int(exactly: number.rounded(.down)), range.contains(whole) else { return nil }
        return whole
    }

    /// Strides of elements in row-major order without gaps; nil where they would overflow.
    public static func rowMajorStrides(_ shape: [Int]) -> [Int]? {
        guard elements(shape) != nil else { return nil }
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * max(1, shape[axis + 1])
        }
        return strides
    }
}

// Numbers of types whose every value fits: the compiler refuses others.
extension Int {
    @inlinable public init(widened number: UInt8) { self.init(number) }
    @inlinable public init(widened number: UInt16) { self.init(number) }
    @inlinable public init(widened number: UInt32) { self.init(number) }
    @inlinable public init(widened number: Int32) { self.init(number) }
    @inlinable public init(widened number: Int64) { self.init(number) }
    @inlinable public init(widened number: Int) { self = number }
}

extension Int64 {
    @inlinable public init(widened number: Int) { self.init(number) }
}
