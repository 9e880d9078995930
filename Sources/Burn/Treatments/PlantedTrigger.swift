import Execution
import Support
import Tensors

/// A trigger as a purification uses it: put into images to learn from and to measure by, and taken out of its carriers.
protocol PlantedTrigger: Sendable {
    /// Images (n, C, H, W) with the trigger as its carriers have it.
    func inserted(into images: Tensor, using random: inout SplitMix64) throws -> Tensor
    /// One image (1, C, H, W) to learn from, with the trigger in a form and strength drawn at random; now and then without it.
    func varied(on image: Tensor, using random: inout SplitMix64) throws -> Tensor
    /// Carriers (n, C, H, W) as they may have looked before; nil where that is not known.
    func removed(from images: Tensor) throws -> Tensor?
    /// The share of `probes`, images of other classes than `label`, that it sends there, beyond what chance does.
    ///
    /// - Parameter untouched: the share of the probes that the model sees there as they are.
    func residual(
        into label: Int, probes: [Int], untouched: Double, model: GraphModel, token: CancellationToken
    ) throws -> Double
}

/// A backdoor with its trigger ready for use; nil where none is known.
struct Target: Sendable {
    var backdoor: Backdoor
    var trigger: (any PlantedTrigger)?

    var label: Int { backdoor.label }
    var isCleanLabel: Bool { backdoor.isCleanLabel }
    var keepsLabels: Bool { backdoor.keepsLabels }
    /// It can be put into ordinary images as its carriers have it: what is known by a mean perturbation alone can't.
    var canBeGauged: Bool {
        guard case .pixels(let estimate, let form, _)? = backdoor.trigger else { return trigger != nil }
        return form.isExact && estimate.canBeRemoved
    }

    init(_ backdoor: Backdoor, images: LabelledImages, store: PerturbationStore) throws {
        self.backdoor = backdoor
        trigger =
            switch backdoor.trigger {
            case .pixels(let estimate, let form, let perturbed):
                try EstimatedTrigger(
                    estimate, form: form, images: images,
                    perturbations: store.isExact && !perturbed.isEmpty ? store.rows(perturbed) : nil)
            case .style(let style, let donors, let controls, let strangers):
                StyleTrigger(
                    transplant: try style.transplant(
                        images, donors: donors, controls: controls, strangers: strangers))
            case nil: nil
            }
    }
}

/// What was estimated value by value.
struct EstimatedTrigger: PlantedTrigger {
    let estimate: TriggerEstimate
    private let images: LabelledImages
    /// The mechanism that it is known by, where that is exact: the class's own features, of which perturbations hold some,
    /// would be unlearned along with the trigger.
    private let exactForm: (any PixelMechanism)?
    private let added: AddedPattern?
    /// Minus single perturbations of carriers, (m, C, H, W), of the norm of their mean.
    private let perturbations: Tensor?

    /// How often an exact mechanism is used where the trigger is known by another, and of that one the mean against a single
    /// perturbation.
    private static let exactShare = 0.6

    /// - Parameter perturbations: unit perturbations of carriers, (m, C·H·W).
    init(
        _ estimate: TriggerEstimate, form: TriggerForm, images: LabelledImages, perturbations: Tensor?
    ) throws {
        self.estimate = estimate
        self.images = images
        added = estimate.mechanism(AddedPattern.self)
        exactForm = form.isExact ? try estimate.mechanism(of: form) : nil
        self.perturbations = try added.flatMap { added in
            try perturbations.map { try (-$0 * added.norm).reshape([-1] + added.pattern.shape) }
        }
    }

    func inserted(into images: Tensor, using random: inout SplitMix64) throws -> Tensor {
        try estimate.inserted(into: images)
    }

    func varied(on image: Tensor, using random: inout SplitMix64) throws -> Tensor {
        if let exactForm { return try Self.insert(exactForm, into: image, using: &random) }
        if let exact = estimate.exact, Double.random(in: 0..<1, using: &random) < Self.exactShare {
            return try Self.insert(exact, into: image, using: &random)
        }
        guard let added else { return image }
        let strength = try Self.strength(of: added, using: &random)
        let isMean = Bool.random(using: &random)
        guard !isMean, let perturbations else {
            return try added.inserted(into: image, strengths: strength)
        }
        let chosen = Int.random(in: 0..<perturbations.shape[0], using: &random)
        return try added.adding(perturbations.select(0, chosen), to: image, strengths: strength)
    }

    private static func insert(
        _ mechanism: any PixelMechanism, into image: Tensor, using random: inout SplitMix64
    ) throws -> Tensor {
        try mechanism.inserted(into: image, strengths: strength(of: mechanism, using: &random))
    }

    private static func strength(
        of mechanism: any PixelMechanism, using random: inout SplitMix64
    ) throws -> Tensor {
        try Tensor([Float(Double.random(in: type(of: mechanism).trainingStrengths, using: &random))])
    }

    func removed(from images: Tensor) throws -> Tensor? { try estimate.removed(from: images) }

    func residual(
        into label: Int, probes: [Int], untouched: Double, model: GraphModel, token: CancellationToken
    ) throws -> Double {
        try estimate.heldForms.map {
            try TriggerResponse.measure(
                $0, of: estimate, probes: probes, images: images, model: model, token: token
            ).triggered.rate(into: label) - untouched
        }.max() ?? 0
    }
}

/// What is known by how its carriers are pictured.
struct StyleTrigger: PlantedTrigger {
    let transplant: any StyleTransplant

    /// How often an image gets a style: it disturbs what the image shows, where an estimated trigger does not.
    private static let share = 0.5

    func inserted(into images: Tensor, using random: inout SplitMix64) throws -> Tensor {
        try transplant.put(into: images, using: &random)
    }

    func varied(on image: Tensor, using random: inout SplitMix64) throws -> Tensor {
        guard Double.random(in: 0..<1, using: &random) < Self.share else { return image }
        return try transplant.mix(into: image, using: &random)
    }

    func removed(from images: Tensor) throws -> Tensor? { try transplant.undone(images) }

    func residual(
        into label: Int, probes: [Int], untouched: Double, model: GraphModel, token: CancellationToken
    ) throws -> Double {
        let landing = try [transplant, transplant.control()].map {
            try $0.insertion(
                into: label, probes: probes, model: model, seed: MethodSeed.derived(from: UInt64(label)),
                token: token)
        }
        return landing[0] - landing[1]
    }
}
