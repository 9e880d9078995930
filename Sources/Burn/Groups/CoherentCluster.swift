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

    /// - Parameter all: the rows that it was found in.
    func strength(in all: Tensor, generator: Generator) throws -> BundleStrength {
        BundleStrength(
            size: cosines.count, tightness: tightness,
            share: try all.topDirection(generator: generator).eigenvalue / Double(cosines.count), gain: gain)
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
        let count = try rows.size(0)
        let gram = try rows.matmul(rows.transpose())
        let nearest = try gram.topK(min(neighbours + 1, count), dimension: 1)
        let seed: Int = try nearest.values.sum([1]).argmax(0).item()
        let bundle: [Int] = try nearest.indices.select(0, seed).array()
        var starts = [bundle]
        var deflated = rows
        for order in 0..<eigenvectors {
            let direction = try deflated.topDirection(iterations: 50, generator: generator).direction
            let projected = try deflated.matmul(direction)
            deflated = try deflated - projected.unsqueeze(1) * direction.unsqueeze(0)
            let along: [Float] = try projected.array()
            let ascending = along.indices.sorted { along[$0] < along[$1] }
            let size = order == 0 ? count / 2 : Int(Double(count) * endShare)
            let end = min(count, max(size, parameters.smallestGroup(of: count)))
            starts += [Array(ascending.prefix(end)), Array(ascending.suffix(end))]
        }
        let found = try starts.map { try CoherentCluster(in: rows, start: $0) }
        var distinct = found.filter { $0.isDistinct(parameters) }
        if distinct.isEmpty {
            distinct = try found.compactMap { try $0.withTail(in: rows, parameters) }
        }
        return (distinct.isEmpty ? found : distinct).max { $0.gain < $1.gain } ?? found[0]
    }

    /// Refines direction and membership from `start`, rows by index.
    init(in rows: Tensor, start: [Int], choice: TwoComponentMixture.Choice = .likeliest) throws {
        (direction, cosines) = try Self.compare(rows, with: start)
        mixture = TwoComponentMixture(fitting: cosines, upper: Set(start), choice: choice)
        self.rows = start
        for _ in 0..<Self.refinements {
            let members = cosines.indices.filter { mixture.posterior(cosines[$0]) > 0.5 }
            guard members.count >= 3 else { break }
            (direction, cosines) = try Self.compare(rows, with: members)
            mixture = TwoComponentMixture(fitting: cosines, upper: Set(members), choice: choice)
            self.rows = cosines.indices.filter { mixture.posterior(cosines[$0]) > 0.5 }
            if self.rows == members { break }
        }
    }

    /// Beyond the tail of what is not in the bundle; nil where it is not cleanly apart from that either.
    private func withTail(in rows: Tensor, _ parameters: Parameters) throws -> CoherentCluster? {
        guard let tailed = mixture.withTail(cosines), tailed.separation > parameters.modeSeparation else {
            return nil
        }
        let members = cosines.indices.filter { tailed.posterior(cosines[$0]) > 0.5 }
        guard members.count >= parameters.smallestGroup(of: cosines.count) else { return nil }
        let cluster = try CoherentCluster(in: rows, start: members, choice: .tailed)
        return cluster.isDistinct(parameters) ? cluster : nil
    }

    /// The mean direction of `members`, and every row's cosine to it; a member's own part is left out of the
    /// mean that it is compared with, or any few rows would look like a bundle.
    private static func compare(
        _ rows: Tensor, with members: [Int]
    ) throws -> (direction: Tensor, cosines: [Double]) {
        let sum = try rows.rows(members).sum([0])
        let norm = try Double(sum.norm().item(as: Float.self))
        let direction = try sum / max(norm, 1e-9)
        var cosines = try rows.matmul(direction).array(as: Float.self).map(Double.init)
        for member in members {
            let projection = cosines[member] * norm
            let others = (norm * norm - 2 * projection + 1).squareRoot()
            cosines[member] = others > 1e-6 ? (projection - 1) / others : 0
        }
        return (direction, cosines)
    }
}
