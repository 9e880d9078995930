import Execution
import Tensors

/// What the model says of images that an estimated trigger was put into, and of the same images moved by a random
/// direction of the same norm.
struct TriggerResponse: Sendable {
    var form: TriggerEffect.Form
    /// The probes' own labels.
    var sources: [Int]
    /// Predictions with the trigger, in the order of the probes.
    var triggered: [Int]
    /// Predictions with the random direction; nil where it was left out.
    var random: [Int]?

    /// - Parameters:
    ///   - probes: samples that had no part in the estimate.
    ///   - generator: draws the random direction; nil leaves it out.
    static func measure(
        _ form: TriggerEffect.Form, of trigger: TriggerEstimate, probes: [Int], images: LabelledImages,
        model: GraphModel, generator: Generator?, token: CancellationToken
    ) throws -> TriggerResponse {
        func predictions(_ stamp: (Tensor, Tensor) throws -> Tensor) throws -> [Int] {
            var predictions: [Int] = []
            for indices in images.parts(of: probes) {
                let stamped = try stamp(images.batch(indices), Tensor.ones([indices.count]))
                predictions += try model.forward(stamped, mode: .inference, token: token).argmax(1)
                    .array(as: Int.self)
            }
            return predictions
        }
        let triggered = try predictions { try trigger.stamping(form, on: $0, strengths: $1) }
        let norm = trigger.norm(of: form)
        let random = try generator.map { generator in
            let noise = try trigger.boundary.randnLike(generator: generator)
            let direction = try noise / noise.norm()
            return try predictions { try trigger.adding(direction, to: $0, strengths: $1 * norm) }
        }
        return TriggerResponse(
            form: form, sources: probes.map { images.labels[$0] }, triggered: triggered, random: random)
    }

    /// The effect on probes of other classes than `label`.
    func effect(into label: Int) -> TriggerEffect {
        func rate(_ predictions: [Int], _ positions: [Int]) -> Double {
            Double(positions.count { predictions[$0] == label }) / Double(max(positions.count, 1))
        }
        let others = sources.indices.filter { sources[$0] != label }
        let bySource = Dictionary(grouping: others) { sources[$0] }
            .filter { $0.value.count >= Self.fewestOfSource }
            .map { (source: $0.key, positions: $0.value, rate: rate(triggered, $0.value)) }
        let top = bySource.max { ($0.rate, $1.source) < ($1.rate, $0.source) }
        let still = random ?? sources.map { _ in -1 }
        return TriggerEffect(
            form: form, rate: rate(triggered, others), random: rate(still, others),
            topSource: top?.source ?? 0, topSourceRate: top?.rate ?? 0,
            topSourceRandom: rate(still, top?.positions ?? []), tested: others.count,
            topSourceTested: top?.positions.count ?? 0)
    }

    private static let fewestOfSource = 10
}
