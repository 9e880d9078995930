import Tensors

/// Unit rows among which bundles are sought, and what they have to do with each other.
///
/// Their sums, their cosines to a sum and their top direction all follow from their inner products with each other: fewer numbers
/// to read than the rows themselves, where there are fewer rows than numbers in each.
struct UnitRows {
    /// (n, width)
    let rows: Tensor
    /// (n, n); nil where they are not worth their making.
    let products: Tensor?

    /// - Parameter products: see there; for rows of which many sums are wanted.
    init(_ rows: Tensor, products: Tensor? = nil) { (self.rows, self.products) = (rows, products) }

    var count: Int { rows.shape[0] }

    /// The sum of some rows, (width).
    func sum(of members: [Int]) throws -> Tensor { try rows.rows(members).sum([0]) }

    /// The norm of the sum of some rows, and the cosine of every row to it, (n).
    func cosines(toSumOf members: [Int]) throws -> (norm: Double, cosines: Tensor) {
        let along: Tensor
        let norm: Double
        if let products {
            var chosen = [Float](repeating: 0, count: count)
            for member in members { chosen[member] = 1 }
            let indicator = try Tensor(chosen)
            along = try products.matmul(indicator)
            norm = try max(0, Double((along * indicator).sum().item(as: Float.self))).squareRoot()
        } else {
            let sum = try sum(of: members)
            along = try rows.matmul(sum)
            norm = try Double(sum.norm().item(as: Float.self))
        }
        return (norm, try along / max(norm, 1e-9))
    }

    /// The largest eigenvalue of a matrix of inner products (n, n), and the rows' projections (n) on its direction, by power
    /// iteration until the value changes by less than a millionth of itself. The mean projection is not negative.
    static func top(
        of products: Tensor, iterations: Int, generator: Generator
    ) throws -> (eigenvalue: Double, projections: Tensor) {
        var along = try Tensor.randn([products.size(0)], generator: generator)
        along = try along / along.norm()
        var eigenvalue = 0.0
        for _ in 0..<iterations {
            let image = try products.matmul(along)
            let next: Double = try image.norm().item()
            guard next > 0, next.isFinite else { return (0, try along * 0.0) }
            along = try image / next
            let change = abs(next - eigenvalue)
            eigenvalue = next
            if change <= 1e-6 * next { break }
        }
        let sign = try along.sum().item(as: Double.self) < 0 ? -1.0 : 1
        return (eigenvalue, try along * (sign * eigenvalue.squareRoot()))
    }
}
