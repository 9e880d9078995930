import Findings
import Foundation
import Support
import Tensors

/// Images that share a static pattern: a bundle among the whitened images (`ImageWhitening`), found from a start
/// that the model's behaviour suggests.
///
/// Fewer than half of the start need carry the pattern: direction and membership are refined in turn, and grow
/// to everything that carries it, also what the model itself failed to learn.
struct ImageBundle: Sendable {
    /// Samples of the bundle, ascending.
    var members: [Int]
    /// Of every sample: its probability of belonging to the bundle; 0 for what was not compared with it.
    var posteriors: [Float]
    /// Nats by which two modes explain the cosines better than one.
    var gain: Double
    /// Of the gain against that of what grows from random samples once the bundle is taken out.
    var pValue: Double

    /// Samples that the direction is found on, at most, and how many of them may be the start.
    private static let mostRows = 6144
    private static let mostStart = 2048
    private static let nullStarts = 9
    private static let batch = 4096

    /// Members that have the label.
    func members(labelled label: Int, in images: LabelledImages) -> [Int] {
        members.filter { images.labels[$0] == label }
    }

    /// Grows a bundle among `samples` from `start`; nil where none stands apart.
    ///
    /// - Parameters:
    ///   - samples: where to look, the start's samples among them. What is not of these is in no bundle.
    ///   - everyone: number of samples in `store`.
    static func grown(
        from start: [Int], among samples: [Int], of everyone: Int, store: PerturbationStore,
        parameters: Parameters, seed: UInt64
    ) throws -> ImageBundle? {
        try Growth(from: start, among: samples, store: store, parameters: parameters, seed: seed)?
            .bundle(of: everyone, in: store)
    }

    /// What has grown among some of the samples, before its null is known and all of them are compared with it.
    struct Growth: Sendable {
        private var cluster: CoherentCluster
        private let samples: [Int]
        /// Those that its direction was looked for among, the start's first.
        private let chosen: [Int]
        private let start: Int
        private let smallest: Int
        private let random: SplitMix64
        private let seed: UInt64

        var gain: Double { cluster.gain }

        /// Nil where none stands apart.
        init?(
            from start: [Int], among samples: [Int], store: PerturbationStore, parameters: Parameters,
            seed: UInt64
        ) throws {
            var random = SplitMix64(seed: seed)
            let begin = Array(start.shuffled(using: &random).prefix(mostStart))
            let inStart = Set(begin)
            smallest = Int(parameters.smallestGroup)
            self.samples = samples
            let others = samples.filter { !inStart.contains($0) }.shuffled(using: &random)
            chosen = begin + others.prefix(mostRows - begin.count)
            guard begin.count >= smallest, chosen.count >= 4 * smallest,
                4 * others.count >= begin.count
            else { return nil }
            let rows = try store.rows(chosen)
            cluster = try CoherentCluster(
                in: UnitRows(rows), start: Array(begin.indices), choice: .mostSeparate)
            guard cluster.mixture.separation > parameters.bundleSeparation, cluster.rows.count >= smallest,
                cluster.rows.count < rows.shape[0]
            else { return nil }
            self.start = begin.count
            self.random = random
            self.seed = seed
        }

        /// What grows from the clearest part of it, where it has parts that are cleanly apart: two patterns, of which each has its own
        /// samples, have a direction between them in common. Nil where it is one.
        func part(in store: PerturbationStore, _ parameters: Parameters) throws -> Growth? {
            guard cluster.rows.count >= 2 * smallest else { return nil }
            let rows = try store.rows(chosen)
            let inside = try CoherentCluster.strongest(
                in: rows.rows(cluster.rows), parameters, generator: Generator(seed: seed))
            guard inside.isDistinct(parameters) else { return nil }
            var part = self
            part.cluster = try CoherentCluster(
                in: UnitRows(rows), start: inside.rows.map { cluster.rows[$0] }, choice: .mostSeparate)
            guard part.cluster.mixture.separation > parameters.bundleSeparation,
                part.cluster.rows.count >= smallest, part.cluster.rows.count < cluster.rows.count
            else { return nil }
            return part
        }

        /// - Parameter everyone: number of samples in `store`.
        func bundle(of everyone: Int, in store: PerturbationStore) throws -> ImageBundle {
            var random = random
            let null = try remainingGains(
                store.rows(chosen), without: cluster, size: start, fewest: smallest, using: &random)
            let pValue = Statistics.pValue(of: log(1 + cluster.gain), against: null.map { log(1 + $0) })
            var posteriors = [Float](repeating: 0, count: everyone)
            for first in stride(from: 0, to: samples.count, by: batch) {
                let indices = Array(samples[first..<min(first + batch, samples.count)])
                let cosines: [Float] = try store.rows(indices).matmul(cluster.direction).array()
                for (sample, cosine) in zip(indices, cosines) {
                    posteriors[sample] = Float(cluster.mixture.posterior(Double(cosine)))
                }
            }
            // A member's own part is in the direction; for these the cosine that leaves it out counts.
            for (row, sample) in chosen.enumerated() {
                posteriors[sample] = Float(cluster.mixture.posterior(cluster.cosines[row]))
            }
            return ImageBundle(
                members: posteriors.indices.filter { posteriors[$0] > 0.5 }, posteriors: posteriors,
                gain: cluster.gain, pValue: pValue)
        }
    }

    /// The null: gains of what grows from random samples once the bundle is taken out.
    private static func remainingGains(
        _ rows: Tensor, without found: CoherentCluster, size: Int, fewest: Int, using random: inout SplitMix64
    ) throws -> [Double] {
        let inside = Set(found.rows)
        let outside = found.cosines.indices.filter { !inside.contains($0) }
        let start = min(size, outside.count / 3)
        guard start >= fewest else { return [] }
        let rest = UnitRows(try rows.rows(outside))
        return try (0..<nullStarts).map { _ in
            let drawn = Array(outside.indices.shuffled(using: &random).prefix(start))
            return try CoherentCluster(in: rest, start: drawn, choice: .mostSeparate).gain
        }
    }
}
