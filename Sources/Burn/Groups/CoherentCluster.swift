import Findings
import Tensors

/// The strongest bundle among unit perturbations: the rows that share one direction, if any do.
///
/// Several starts: the row whose nearest neighbours are nearest finds a small tight bundle; the top eigenvector
/// finds a loose one that takes up most of the class; the ends of the next eigenvectors find small loose ones
/// that a class's own weak common direction would hide. From each, direction and membership are refined in turn
/// until the two-component mixture of cosines settles. The bundle whose two modes explain the cosines best, in
/// likelihood, is the strongest.
struct CoherentCluster {
    /// Unit vector (width).
    var direction: Tensor
    /// Cosine of every row to `direction`.
    var cosines: [Double]
    var mixture: TwoComponentMixture
    /// Rows of the upper mode.
    var rows: [Int]

    /// Mean cosine of the bundle's rows to the direction of the others: 0 for rows that have none in common.
    var tightness: Double {
        guard rows.count > 1 else { return 0 }
        return max(0, rows.reduce(0) { $0 + cosines[$1] } / Double(rows.count))
    }

    /// Nats by which two modes explain the cosines better than one.
    var gain: Double { max(0, mixture.gain(cosines)) }
    /// A part of the rows, large enough, and cleanly apart from the rest.
    func isDistinct(_ parameters: Parameters) -> Bool {
        mixture.separation > parameters.modeSeparation && rows.count < cosines.count
            && rows.count >= parameters.smallestGroup(of: cosines.count)
    }

    /// Share of all rows' energy along their top direction; nil where it was not looked for.
    private(set) var topShare: Double?

    /// Of the strongest one, among the rows that it was found in.
    var strength: BundleStrength {
        guard let topShare else { preconditionFailure("only the strongest bundle of rows has one") }
        return BundleStrength(size: cosines.count, tightness: tightness, share: topShare, gain: gain)
    }

    private static let neighbours = 8
    /// Eigenvectors whose ends are starts, and how much of the rows an end is.
    private static let eigenvectors = 3
    private static let endShare = 0.05
    private static let refinements = 6

    /// The strongest bundle in `rows`: (n, width).
    static func strongest(
        in rows: Tensor, _ parameters: Parameters, generator: Generator
    ) throws -> CoherentCluster {
        let products = try rows.matmul(rows.transpose())
        let rows = UnitRows(rows, products: products)
        let (starts, topShare) = try starts(products, parameters, generator)
        let found = try starts.map { try CoherentCluster(in: rows, start: $0) }
        var distinct = found.filter { $0.isDistinct(parameters) }
        if distinct.isEmpty {
            distinct = try found.compactMap { try $0.withTail(in: rows, parameters) }
        }
        var strongest = (distinct.isEmpty ? found : distinct).max { $0.gain < $1.gain } ?? found[0]
        strongest.topShare = topShare
        return strongest
    }

    /// Rows to start from, and the share of the rows' energy along their top direction.
    private static func starts(
        _ products: Tensor, _ parameters: Parameters, _ generator: Generator
    ) throws -> (starts: [[Int]], topShare: Double) {
        let count = try products.size(0)
        var products = products
        let nearest = try products.topK(min(neighbours + 1, count), dimension: 1)
        let seed: Int = try nearest.values.sum([1]).argmax(0).item()
        let bundle: [Int] = try nearest.indices.select(0, seed).array()
        var starts = [bundle]
        var topShare = 0.0
        for order in 0..<eigenvectors {
            let (eigenvalue, projections) = try UnitRows.top(
                of: products, iterations: order == 0 ? 100 : 50, generator: generator)
            if order == 0 { topShare = eigenvalue / Double(count) }
            if order < eigenvectors - 1 {
                products = try products - projections.unsqueeze(1) * projections.unsqueeze(0)
            }
            let along: [Float] = try projections.array()
            let ascending = along.indices.sorted { along[$0] < along[$1] }
            let size = order == 0 ? count / 2 : Int(Double(count) * endShare)
            let end = min(count, max(size, parameters.smallestGroup(of: count)))
            starts += [Array(ascending.prefix(end)), Array(ascending.suffix(end))]
        }
        return (starts, topShare)
    }

    /// Refines direction and membership from `start`, rows by index.
    init(in rows: UnitRows, start: [Int], choice: TwoComponentMixture.Choice = .likeliest) throws {
        var (compared, found) = (start, start)
        var cosines = try Self.compare(rows, with: start)
        var mixture = TwoComponentMixture(fitting: cosines, upper: Set(start), choice: choice)
        for _ in 0..<Self.refinements {
            let members = cosines.indices.filter { mixture.posterior(cosines[$0]) > 0.5 }
            guard members.count >= 3 else { break }
            compared = members
            cosines = try Self.compare(rows, with: members)
            mixture = TwoComponentMixture(fitting: cosines, upper: Set(members), choice: choice)
            found = cosines.indices.filter { mixture.posterior(cosines[$0]) > 0.5 }
            if found == members { break }
        }
        (self.cosines, self.mixture, self.rows) = (cosines, mixture, found)
        let sum = try rows.sum(of: compared)
        direction = try sum / sum.norm().clamp(1e-9, nil)
    }

    /// Beyond the tail of what is not in the bundle; nil where it is not cleanly apart from that either.
    private func withTail(in rows: UnitRows, _ parameters: Parameters) throws -> CoherentCluster? {
        guard let tailed = mixture.withTail(cosines), tailed.separation > parameters.modeSeparation else {
            return nil
        }
        let members = cosines.indices.filter { tailed.posterior(cosines[$0]) > 0.5 }
        guard members.count >= parameters.smallestGroup(of: cosines.count) else { return nil }
        let cluster = try CoherentCluster(in: rows, start: members, choice: .tailed)
        return cluster.isDistinct(parameters) ? cluster : nil
    }

    /// Every row's cosine to the mean direction of `members`; a member's own part is left out of the mean that it is compared
    /// with, or any few rows would look like a bundle.
    private static func compare(_ rows: UnitRows, with members: [Int]) throws -> [Double] {
        let (norm, compared) = try rows.cosines(toSumOf: members)
        var cosines = try compared.array(as: Float.self).map(Double.init)
        for member in members {
            let projection = cosines[member] * norm
            let others = (norm * norm - 2 * projection + 1).squareRoot()
            cosines[member] = others > 1e-6 ? (projection - 1) / others : 0
        }
        return cosines
    }
}
