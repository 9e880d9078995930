import Foundation
import Tensors

/// x ↦ a ⊙ x + t for each input value: a patch has a = 0, blending a = 1 - α, an added pattern a = 1.
///
/// Both are found by matching the suspects' per-value mean and standard deviation with those of samples without the trigger,
/// and kept only where they differ significantly.
package struct AffineValues: PixelMechanism {
    package static let name = "moments"
    package static let strengths = [1.0, 2]
    package static let heldStrengths = [1.0, 2]
    package static let trainingStrengths = 0.2..<2.2
    package static let isExact = true

    private struct Values: Codable {
        /// (C, H, W) each.
        var gain: Tensor
        var shift: Tensor
        /// The mean of samples without the trigger, to fill in what it covers.
        var background: Tensor
        var lowest: Tensor
        var highest: Tensor
        var norm: Double
        var transparency: Double
        var contentDifference: Double
    }

    private let values: Values
    /// Nil where the image can be seen everywhere.
    private let covered: Inpainting?

    /// (C, H, W) each: x ↦ gain · x + shift.
    package var gain: Tensor { values.gain }
    package var shift: Tensor { values.shift }
    package var norm: Double { values.norm }
    package var transparency: Double { values.transparency }
    /// How unlike the reference the suspects' images are beside the trigger: the median over all values of the squared
    /// standardised difference of means, less what samples of these sizes show by chance. A median, since a trigger may change
    /// a part of the values as much as it likes.
    package var contentDifference: Double { values.contentDifference }

    /// The least `gain` under which an image can be told.
    private static let leastVisible = 0.25
    /// Values whose deviation differs by less than this many standard errors count as equal: with thousands of
    /// input values, a normal tail leaves none by chance.
    private static let significance = 4.5
    /// Of the values that are said to be moved, where faint ones count. A patch moves few and needs strong ones; a
    /// pattern all over the image moves most, many of them by little, and works as a whole alone.
    private static let falseDiscoveryRate = 0.01
    /// The median of the χ² distribution with one degree of freedom.
    private static let medianOfSquare = 0.455

    package init(_ material: TriggerMaterial) throws {
        let (suspects, reference) = (material.suspects, material.reference)
        let deviation = try suspects.deviation()
        let referenceDeviation = try reference.deviation().clamp(1e-4, nil)
        let ratio = try deviation / referenceDeviation
        let shrinks = try Self.shrinks(ratio, material)
        let gain = try shrinks.choose(ratio, 1.0)
        let moved = try suspects.mean - gain * reference.mean
        let deviationOfMean = try
            (deviation.square() / Double(suspects.count)
            + referenceDeviation.square() / Double(reference.count)).sqrt()
        let scores = try (moved / deviationOfMean.clamp(1e-9, nil)).abs()
        let least =
            try material.keepsFaint
            ? Statistics.significantScore(scores.array(), falseDiscoveryRate: Self.falseDiscoveryRate)
            : Self.significance
        let shift = try (shrinks | (scores .>= least)).choose(moved, 0.0)
        let background = reference.mean
        let standardised = try (moved / referenceDeviation).square().flatten().median()
        try self.init(
            Values(
                gain: gain, shift: shift, background: background, lowest: material.lowest,
                highest: material.highest,
                norm: Double((gain * background + shift - background).norm().item(as: Float.self)),
                transparency: Double(
                    ((gain * referenceDeviation).sum() / referenceDeviation.sum()).item(as: Float.self)),
                contentDifference: Double(standardised.item(as: Float.self))
                    - Self.medianOfSquare * (1 / Double(suspects.count) + 1 / Double(reference.count))))
    }

    private init(_ values: Values) throws {
        self.values = values
        let isWhole = try Double(values.gain.amin().item(as: Float.self)) > Self.leastVisible
        covered =
            isWhole
            ? nil
            : try Inpainting(isKnown: values.gain .> Self.leastVisible, background: values.background)
    }

    package init(from decoder: any Decoder) throws { try self.init(Values(from: decoder)) }
    package func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }

    /// Where the suspects vary less than the reference does, (C, H, W), boolean.
    private static func shrinks(_ ratio: Tensor, _ material: TriggerMaterial) throws -> Tensor {
        let (suspects, reference) = (material.suspects, material.reference)
        // The error of a deviation's logarithm: √((κ - 1) / 4n). What is black in nearly all images has a large kurtosis κ.
        let error = try
            ((reference.kurtosis.clamp(3, nil) - 1)
            * (0.25 / Double(suspects.count) + 0.25 / Double(reference.count))).sqrt()
        // A value that hardly differs between images has no contrast to lose.
        let varies = try reference.deviation() .> leastDeviation(material)
        // A few images may all be black there by chance: they count beside so many of the reference as its kurtosis says.
        let unseen = try (reference.kurtosis.clamp(3, nil) - 3) / 2
        let count = Double(suspects.count)
        let cautious = try ((ratio.square() * count + unseen) / (unseen + count)).sqrt()
        return try varies & (cautious .< (error * -significance).exp())
    }

    /// What rounding to one of 256 levels spreads a value by, in input units.
    private static func leastDeviation(_ material: TriggerMaterial) throws -> Double {
        try Double((material.highest - material.lowest).amax().item(as: Float.self)) / 255
            / 12.0.squareRoot()
    }

    package func inserted(into images: Tensor, strengths: Tensor) throws -> Tensor {
        let strength = try strengths.perSample(rank: 4)
        let full = try images * gain + shift
        return try (images + (full - images) * strength).clamp(values.lowest, values.highest)
    }

    /// (x - t) / a, and what is around it where too little of the image is left.
    package func removed(from images: Tensor) throws -> Tensor? {
        let restored = try ((images - shift) / gain.clamp(Self.leastVisible, nil))
            .clamp(values.lowest, values.highest)
        return try covered?.fill(restored).clamp(values.lowest, values.highest) ?? restored
    }

    package func change() throws -> Tensor {
        try gain * values.background + shift - values.background
    }
}
