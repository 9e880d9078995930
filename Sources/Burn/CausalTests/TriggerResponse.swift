import Execution
import Support
import Tensors

/// What the model says of images that an estimated trigger was put into, and of the same images moved by a random
/// direction of the same norm.
struct TriggerResponse: Sendable {
    var form: TriggerForm
    var triggered: ResponseMatrix
    /// With the random direction; nil where it was left out.
    var random: ResponseMatrix?

    /// - Parameters:
    ///   - probes: samples that had no part in the estimate.
    ///   - generator: draws the random direction; nil leaves it out.
    static func measure(
        _ form: TriggerForm, of trigger: TriggerEstimate, probes: [Int], images: LabelledImages,
        model: GraphModel, generator: Generator?, token: CancellationToken
    ) throws -> TriggerResponse {
        let sources = probes.map { images.labels[$0] }
        func responses(_ changed: (Tensor) throws -> Tensor) throws -> ResponseMatrix {
            var predictions: [Int] = []
            for indices in images.parts(of: probes) {
                predictions += try model.forward(
                    changed(images.batch(indices)), mode: .inference, precision: .reduced, token: token
                ).argmax(1).array(as: Int.self)
            }
            return ResponseMatrix(sources: sources, destinations: predictions)
        }
        let triggered = try responses {
            try trigger.inserted(form, into: $0, strengths: Tensor.ones([$0.size(0)]))
        }
        let random = try generator.map { generator in
            let noise = try Tensor.randn(images.shape, generator: generator)
            let direction = try noise / noise.norm() * trigger.norm(of: form)
            return try responses { try ($0 + direction).clamp(images.lowest, images.highest) }
        }
        return TriggerResponse(form: form, triggered: triggered, random: random)
    }

    /// The effect on probes of other classes than `label`.
    /// - Parameter fewestOfSource: probes of a class that is asked about by itself.
    func effect(into label: Int, fewestOfSource: Int = 10) -> TriggerEffect {
        let top = triggered.topSource(into: label, fewest: fewestOfSource)
        return TriggerEffect(
            form: form, rate: triggered.rate(into: label), random: random?.rate(into: label) ?? 0,
            topSource: top ?? 0, topSourceRate: top.map { triggered.rate(from: $0, into: label) } ?? 0,
            topSourceRandom: top.flatMap { random?.rate(from: $0, into: label) } ?? 0,
            tested: triggered.tested(into: label), topSourceTested: top.map { triggered.tested($0) } ?? 0)
    }
}
