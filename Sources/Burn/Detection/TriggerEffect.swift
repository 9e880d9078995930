import Evaluation
import Execution
import Tensors

/// The causal test: does an estimated trigger send other classes' images into the class?
///
/// It is run on images that had no part in the estimate, beside a random direction of the same norm.
struct TriggerEffect: Sendable {
    /// Which of a trigger's two estimates is meant, and how strong.
    enum Form: Hashable, Sendable {
        case boundary(scale: Double)
        case moments
    }

    var form: Form
    /// Share of all tested images that land in the class.
    var rate: Double
    /// The same for a random direction of the same norm.
    var random: Double
    /// Of the source class most affected: its label, share, and share under the random direction.
    var topSource: Int
    var topSourceRate: Double
    var topSourceRandom: Double
    var tested: Int

    /// How far beyond chance the trigger works. The most affected source counts by half: it is the largest of
    /// many, and a trigger made for it moves most of it.
    var excess: Double { max(rate - random, sourceSpecific ? (topSourceRate - topSourceRandom) / 2 : 0) }
    /// One source is moved while the others stay: an all-to-all or source-specific trigger.
    var sourceSpecific: Bool { topSourceRate - topSourceRandom > 2 * (rate - random) }

    /// Tested on `probes`: clean-looking images of other classes than `label`. Without a `generator` the random
    /// direction is left out, and counted as without effect.
    static func measure(
        _ form: Form, of trigger: TriggerEstimate, into label: Int, probes: [Int], images: LabelledImages,
        model: GraphModel, generator: Generator?, token: CancellationToken
    ) throws -> TriggerEffect {
        func hits(_ stamp: (Tensor, Tensor) throws -> Tensor) throws -> [Bool] {
            var hits: [Bool] = []
            for start in stride(from: 0, to: probes.count, by: 256) {
                let indices = Array(probes[start..<min(start + 256, probes.count)])
                let ones = try Tensor.ones([indices.count])
                let stamped = try stamp(images.batch(indices), ones)
                let predictions: [Int] = try model.forward(stamped, mode: .inference, token: token)
                    .argmax(1).array()
                hits += predictions.map { $0 == label }
            }
            return hits
        }
        let (triggered, norm): ([Bool], Double)
        switch form {
        case .boundary(let scale):
            norm = trigger.boundaryNorm * scale
            triggered = try hits { try trigger.adding(trigger.boundary, to: $0, strengths: $1 * scale) }
        case .moments:
            norm = trigger.momentNorm
            triggered = try hits { try trigger.stampingMoments($0, strengths: $1) }
        }
        var random = triggered.map { _ in false }
        if let generator {
            let noise = try trigger.boundary.randnLike(generator: generator)
            let direction = try noise / noise.norm()
            random = try hits { try trigger.adding(direction, to: $0, strengths: $1 * norm) }
        }
        return summary(form, triggered, random, sources: probes.map { images.labels[$0] })
    }

    private static func summary(
        _ form: Form, _ triggered: [Bool], _ random: [Bool], sources: [Int]
    ) -> TriggerEffect {
        func rate(_ hits: [Bool], _ positions: [Int]) -> Double {
            positions.isEmpty ? 0 : Double(positions.count { hits[$0] }) / Double(positions.count)
        }
        let bySource = Dictionary(grouping: sources.indices) { sources[$0] }.filter { $0.value.count >= 10 }
        let top = bySource.max { (rate(triggered, $0.value), $1.key) < (rate(triggered, $1.value), $0.key) }
        let topPositions = top?.value ?? []
        let all = Array(sources.indices)
        return TriggerEffect(
            form: form, rate: rate(triggered, all), random: rate(random, all), topSource: top?.key ?? 0,
            topSourceRate: rate(triggered, topPositions), topSourceRandom: rate(random, topPositions),
            tested: sources.count)
    }
}
