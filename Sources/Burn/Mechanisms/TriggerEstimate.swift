import Tensors

/// A trigger estimated from a group of samples that are suspected to carry it: one estimate for each mechanism that it may
/// work by.
package struct TriggerEstimate: Sendable {
    /// In the order of `PixelMechanisms.all`.
    package let mechanisms: [any PixelMechanism]

    package init(_ material: TriggerMaterial) throws {
        mechanisms = try PixelMechanisms.all.compactMap { try $0.init(material) }
    }

    package func mechanism<Mechanism: PixelMechanism>(_: Mechanism.Type) -> Mechanism? {
        mechanisms.lazy.compactMap { $0 as? Mechanism }.first
    }

    package func mechanism(of form: TriggerForm) throws -> any PixelMechanism {
        guard let found = mechanisms.first(where: { type(of: $0).name == form.mechanism }) else {
            throw MissingMechanism(name: form.mechanism)
        }
        return found
    }

    struct MissingMechanism: Error, Hashable { var name: String }

    /// What the test of cause tries: an image that is replaced for the most part is no test.
    var forms: [TriggerForm] {
        mechanisms.filter(\.leavesImage).flatMap { mechanism in
            type(of: mechanism).strengths.map { type(of: mechanism).at($0) }
        }
    }

    /// Of these, what is tried first: each mechanism at its strongest, and an exact one as it was found as well. At twice that, a value
    /// in the middle of its range becomes another one.
    var screenedForms: [TriggerForm] {
        mechanisms.filter(\.leavesImage).flatMap { mechanism in
            let kind = type(of: mechanism)
            return kind.strengths.filter { $0 == kind.strengths.max() || (kind.isExact && $0 == 1) }.map {
                kind.at($0)
            }
        }
    }

    /// What a purified model has to withstand.
    var heldForms: [TriggerForm] {
        mechanisms.flatMap { mechanism in
            type(of: mechanism).heldStrengths.map { type(of: mechanism).at($0) }
        }
    }

    /// Every mechanism leaves the image to be seen.
    package var leavesImage: Bool { mechanisms.allSatisfy(\.leavesImage) }

    /// It is known how to take it out.
    var canBeRemoved: Bool { exact != nil }

    /// The first mechanism that changes what the trigger changes, and nothing else; nil where none does anything.
    var exact: (any PixelMechanism)? { mechanisms.first { type(of: $0).isExact && $0.norm > 0 } }

    /// How unlike the reference the suspects' images are beside the trigger.
    package var contentDifference: Double { mechanism(AffineValues.self)?.contentDifference ?? .infinity }

    /// Images (n, C, H, W) with the trigger in this form, at strengths (n).
    package func inserted(_ form: TriggerForm, into images: Tensor, strengths: Tensor) throws -> Tensor {
        try mechanism(of: form).inserted(into: images, strengths: strengths * form.strength)
    }

    /// Images (n, C, H, W) with the trigger as its carriers have it; as they are where that is not known.
    package func inserted(into images: Tensor) throws -> Tensor {
        try exact?.inserted(into: images, strengths: Tensor.ones([images.size(0)])) ?? images
    }

    /// L2 norm of what this form does to an ordinary image.
    package func norm(of form: TriggerForm) throws -> Double {
        try mechanism(of: form).norm * form.strength
    }

    /// Images without the trigger; as they are where none of the mechanisms can be undone.
    package func removed(from images: Tensor) throws -> Tensor {
        try exact?.removed(from: images) ?? images
    }
}

extension TriggerEstimate: Codable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        func decoded<Mechanism: PixelMechanism>(_ type: Mechanism.Type) throws -> (any PixelMechanism)? {
            try container.decodeIfPresent(type, forKey: Name(stringValue: type.name))
        }
        mechanisms = try PixelMechanisms.all.compactMap { try decoded($0) }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        for mechanism in mechanisms {
            try container.encode(mechanism, forKey: Name(stringValue: type(of: mechanism).name))
        }
    }
}
