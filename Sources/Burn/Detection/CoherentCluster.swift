import Tensors

/// The densest bundle among unit perturbations: the rows that share one direction, if any do.
///
/// The start is the row whose nearest neighbours are nearest, not the top eigenvector: a class's own weak
/// common direction would hide a small bundle from the latter. From there, direction and membership are
/// refined in turn until the two-component mixture of cosines settles.
struct CoherentCluster {
    /// Unit vector (width).
    var direction: Tensor
    /// Cosine of every row to `direction`.
    var cosines: [Double]
    var mixture: TwoComponentMixture
    /// Rows of the upper mode.
    var rows: [Int]

    /// Mean cosine of the bundle's rows to its direction, without each row's own part in it.
    var tightness: Double {
        guard rows.count > 1 else { return 0 }
        // ‖mean of m unit vectors‖² = 1/m + (m-1)/m · mean pairwise cosine.
        let mean = rows.reduce(0) { $0 + cosines[$1] } / Double(rows.count)
        let pairwise = (mean * mean * Double(rows.count) - 1) / Double(rows.count - 1)
        return max(pairwise, 0).squareRoot()
    }

    private static let neighbours = 8
    private static let refinements = 6

    /// `rows`: (n, width), n at least `neighbours` + 1.
    init(in rows: Tensor) throws {
        let count = try rows.size(0)
        let gram = try rows.matmul(rows.transpose())
        let nearest = try gram.topK(min(Self.neighbours + 1, count), dimension: 1)
        let density = try nearest.values.sum([1])
        let seed: Int = try density.argmax(0).item()
        let bundle: [Int] = try nearest.indices.select(0, seed).array()
        let start = try rows.rows(bundle).mean([0])
        direction = try start / start.norm().clamp(1e-9, nil)
        cosines = try rows.matmul(direction).array(as: Float.self).map(Double.init)
        var upper = Set(bundle)
        mixture = TwoComponentMixture(fitting: cosines, upper: upper)
        self.rows = bundle
        for _ in 0..<Self.refinements {
            let members = cosines.indices.filter { mixture.posterior(cosines[$0]) > 0.5 }
            guard members.count >= 3 else { break }
            let mean = try rows.rows(members).mean([0])
            direction = try mean / mean.norm().clamp(1e-9, nil)
            cosines = try rows.matmul(direction).array(as: Float.self).map(Double.init)
            upper = Set(members)
            mixture = TwoComponentMixture(fitting: cosines, upper: upper)
            self.rows = cosines.indices.filter { mixture.posterior(cosines[$0]) > 0.5 }
            if self.rows == members { break }
        }
    }
}
