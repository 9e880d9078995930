import Tensors

/// A way in which a trigger may change an image's values, estimated from samples that are suspected to carry it.
///
/// A new one is a file with a type like those here, and a line in `PixelMechanisms.all`: it is estimated, tested, pictured,
/// transplanted and held against the gate like the others. A trigger is taken out by the first exact one that does anything.
package protocol PixelMechanism: Codable, Sendable {
    /// In REST and in files.
    static var name: String { get }
    /// Strengths that the test of cause tries; 1 is as it was found. Attackers use a stronger trigger on the images that
    /// they attack with than on those that they plant.
    static var strengths: [Double] { get }
    /// Strengths that a purified model has to withstand.
    static var heldStrengths: [Double] { get }
    /// Strengths of training images: from below the one at which it works to beyond it.
    static var trainingStrengths: Range<Double> { get }
    /// It changes what the trigger changes, and nothing else. One that is not exact has something of the class in it.
    static var isExact: Bool { get }

    /// Nil where the samples show none of the kind.
    init?(_ material: TriggerMaterial) throws

    /// L2 norm of what it does to an ordinary image; 0 for one that does nothing.
    var norm: Double { get }
    /// Share of an image's contrast that it leaves. What replaces most of an image is another image, and no trigger.
    var transparency: Double { get }

    /// Images (n, C, H, W) with it, at strengths (n).
    func inserted(into images: Tensor, strengths: Tensor) throws -> Tensor
    /// Images (n, C, H, W) without it; nil where what they were can't be told.
    func removed(from images: Tensor) throws -> Tensor?
    /// What it does to an ordinary image, (C, H, W), for people to look at.
    func change() throws -> Tensor
}

extension PixelMechanism {
    var leavesImage: Bool { transparency > 0.5 }
}

package enum PixelMechanisms {
    /// In the order in which they are tried.
    package static let all: [any PixelMechanism.Type] = [
        AddedPattern.self, AffineValues.self, ReplacedRegion.self,
    ]

    static func named(_ name: String) -> (any PixelMechanism.Type)? { all.first { $0.name == name } }
}

/// What pixel mechanisms are estimated from.
package struct TriggerMaterial {
    /// Minus the mean perturbation of the suspects, (C, H, W).
    package var boundary: Tensor
    package var suspects: Moments
    /// Of samples without the trigger.
    package var reference: Moments
    /// Input box, broadcastable to a batch.
    package var lowest: Tensor
    package var highest: Tensor
    /// The reference shows the same as the suspects but for the trigger. Against another one, faint differences are what
    /// the classes look like, and work as well as a trigger does.
    package var keepsFaint = false

    package init(
        boundary: Tensor, suspects: Moments, reference: Moments, lowest: Tensor, highest: Tensor,
        keepsFaint: Bool = false
    ) {
        self.boundary = boundary
        self.suspects = suspects
        self.reference = reference
        self.lowest = lowest
        self.highest = highest
        self.keepsFaint = keepsFaint
    }
}

/// A mechanism by its name, at a strength.
package struct TriggerForm: Hashable, Codable, Sendable {
    package var mechanism: String
    package var strength: Double

    package init(mechanism: String, strength: Double) {
        self.mechanism = mechanism
        self.strength = strength
    }

    package var isExact: Bool { PixelMechanisms.named(mechanism)?.isExact ?? false }
}

extension PixelMechanism {
    static func at(_ strength: Double) -> TriggerForm { TriggerForm(mechanism: name, strength: strength) }
}
