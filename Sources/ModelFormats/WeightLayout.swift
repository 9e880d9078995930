import Graph
import Support

/// How a tensor's elements lie in memory.
struct WeightLayout {
    let shape: [Int]
    let strides: [Int]
    /// Number of elements.
    let count: Int
    /// Elements from the first to the last in memory, gaps included.
    let span: Int

    /// Nil where strides are negative, two elements share memory, or a number overflows.
    /// - Parameter shape: sizes of at least 1.
    init?(shape: [Int], strides: [Int]) {
        guard shape.count == strides.count, let count = Checked.elements(shape), count >= 1 else {
            return nil
        }
        // From the smallest stride on, each dimension has to step over all that is within it.
        var span = 1
        for (size, stride) in zip(shape, strides).filter({ $0.0 > 1 }).sorted(by: { $0.1 < $1.1 }) {
            guard stride >= span, let reach = Checked.product(stride, size - 1),
                let sum = Checked.sum(reach, span)
            else {
                return nil
            }
            span = sum
        }
        self.shape = shape
        self.strides = strides
        self.count = count
        self.span = span
    }

    /// The strides of elements in row-major order without gaps.
    /// - Parameter shape: sizes that `Checked.elements` takes.
    static func rowMajorStrides(_ shape: [Int]) -> [Int] { Checked.rowMajorStrides(shape) ?? [] }

    // bounded: the product of all sizes, `count`, did not overflow.
    /// Whether the elements lie in row-major order without gaps.
    var isRowMajor: Bool {
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() where size > 1 {
            guard stride == expected else { return false }
            expected *= size
        }
        return true
    }

    // bounded: positions within `span`, which did not overflow.
    /// Calls `body` with the memory position of each element, in row-major order.
    func forEachElement(_ body: (_ position: Int) -> Void) {
        var index = Array(repeating: 0, count: shape.count)
        var position = 0
        for _ in 0..<count {
            body(position)
            var axis = shape.count - 1
            while axis >= 0 {
                index[axis] += 1
                position += strides[axis]
                if index[axis] < shape[axis] { break }
                position -= strides[axis] * shape[axis]
                index[axis] = 0
                axis -= 1
            }
        }
    }
}
