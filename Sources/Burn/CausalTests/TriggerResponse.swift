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

    /// Of the form alone.
    /// - Parameter probes: samples that had no part in the estimate.
    static func measure(
        _ form: TriggerForm, of trigger: TriggerEstimate, probes: [Int], images: LabelledImages,
        model: GraphModel, token: CancellationToken
    ) throws -> TriggerResponse {
        let triggered = try matrix(of: probes, images, model, token) {
            try trigger.inserted(form, into: $0, strengths: Tensor.ones([$0.size(0)]))
        }
        return TriggerResponse(form: form, triggered: triggered)
    }

    /// Of further probes as well, which it has not been asked of.
    func extended(
        of trigger: TriggerEstimate, by further: [Int], images: LabelledImages, model: GraphModel,
        token: CancellationToken
    ) throws -> TriggerResponse {
        guard !further.isEmpty else { return self }
        var extended = self
        extended.triggered =
            try triggered
            + Self.measure(form, of: trigger, probes: further, images: images, model: model, token: token)
            .triggered
        return extended
    }

    /// The same beside a random direction of the form's norm.
    func controlled(
        of trigger: TriggerEstimate, probes: [Int], images: LabelledImages, model: GraphModel,
        generator: Generator, token: CancellationToken
    ) throws -> TriggerResponse {
        let noise = try Tensor.randn(images.shape, generator: generator)
        let direction = try noise / noise.norm() * trigger.norm(of: form)
        var controlled = self
        controlled.random = try Self.matrix(of: probes, images, model, token) {
            try ($0 + direction).clamp(images.lowest, images.highest)
        }
        return controlled
    }

    private static func matrix(
        of probes: [Int], _ images: LabelledImages, _ model: GraphModel, _ token: CancellationToken,
        changed: (Tensor) throws -> Tensor
    ) throws -> ResponseMatrix {
        let predictions = try images.parts(of: probes).flatMap { part in
            try model.forward(
                changed(images.batch(part)), mode: .inference, precision: .reduced, token: token
            ).argmax(1).array(as: Int.self)
        }
        return ResponseMatrix(sources: probes.map { images.labels[$0] }, destinations: predictions)
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
