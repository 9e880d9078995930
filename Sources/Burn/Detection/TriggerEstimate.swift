import Foundation
import Tensors

/// A trigger estimated from a cluster of samples that are suspected to carry it. Two estimates, each a
/// function from images to images:
///
/// - *Boundary*: minus the cluster's mean perturbation. What carries poisoned samples out of the class, turned
///   round, carries others in.
/// - *Moments*: most triggers act on each input value as x ↦ a·x + s (a patch: a = 0; blending: a = 1 - α; an
///   added pattern: a = 1). Both are found by matching the cluster's per-value mean and standard deviation with
///   those of samples without the trigger, and kept only where they differ significantly.
package struct TriggerEstimate: Sendable {
    /// (C, H, W): added, in input units.
    package var boundary: Tensor
    /// (C, H, W) each: x ↦ gain · x + shift.
    package var gain: Tensor
    package var shift: Tensor
    /// (C, H, W): the mean of samples without the trigger, to fill in what it covers.
    package var background: Tensor
    /// L2 norm of what the moment estimate does to the background.
    package var momentNorm: Double
    /// How unlike the reference the cluster's images are beside the trigger: the median over all values of the
    /// squared standardised difference of means, less what samples of these sizes show by chance. A median,
    /// since a trigger may change a part of the values as much as it likes.
    package var contentDifference: Double
    /// L2 norm of `boundary`.
    package var boundaryNorm: Double
    /// Share of an image's contrast that is left under the moment estimate. What replaces most of the image, as
    /// the mean of near-duplicates does, is another image and no trigger.
    package var transparency: Double
    package var leavesImage: Bool { transparency > 0.5 }
    package let lowest: Tensor
    package let highest: Tensor
    /// Nil where the image can be seen everywhere.
    private let covered: Inpainting?

    /// The least `gain` under which an image can be told.
    private static let leastVisible = 0.25
    /// Values whose deviation differs by less than this many standard errors count as equal: with thousands of
    /// input values, a normal tail leaves none by chance.
    private static let significance = 4.5
    /// Of the values that are said to be moved, where faint ones count. A patch moves few and needs strong ones; a
    /// pattern all over the image moves most, many of them by little, and works as a whole alone.
    private static let falseDiscoveryRate = 0.01

    /// - Parameter keepsFaint: for a reference that shows the same as the cluster but for the trigger. Against another
    ///   one, faint differences are what the classes look like, and work as well as a trigger does.
    package init(
        boundary: Tensor, cluster: Moments, reference: Moments, lowest: Tensor, highest: Tensor,
        keepsFaint: Bool = false
    ) throws {
        self.boundary = boundary
        self.lowest = lowest
        self.highest = highest
        let clusterDeviation = try cluster.deviation()
        let ownDeviation = try reference.deviation()
        let referenceDeviation = try ownDeviation.clamp(1e-4, nil)
        let ratio = try clusterDeviation / referenceDeviation
        // The error of a deviation's logarithm: √((κ - 1) / 4n). What is black in nearly all images has a large kurtosis κ.
        let error = try
            ((reference.kurtosis.clamp(3, nil) - 1)
            * (0.25 / Double(cluster.count) + 0.25 / Double(reference.count))).sqrt()
        // A value that hardly differs between images has no contrast to lose.
        let varies = try ownDeviation .> Self.leastDeviation(lowest, highest)
        // A few images may all be black there by chance: they count beside so many of the reference as its kurtosis says.
        let unseen = try (reference.kurtosis.clamp(3, nil) - 3) / 2
        let count = Double(cluster.count)
        let cautious = try ((ratio.square() * count + unseen) / (unseen + count)).sqrt()
        let shrinks = try varies & (cautious .< (error * -Self.significance).exp())
        gain = try shrinks.choose(ratio, 1.0)
        let moved = try cluster.mean - gain * reference.mean
        let deviationOfMean = try
            (clusterDeviation.square() / Double(cluster.count)
            + referenceDeviation.square() / Double(reference.count)).sqrt()
        let scores = try (moved / deviationOfMean.clamp(1e-9, nil)).abs()
        let least =
            try keepsFaint
            ? Statistics.significantScore(scores.array(), falseDiscoveryRate: Self.falseDiscoveryRate)
            : Self.significance
        let significant = try shrinks | (scores .>= least)
        shift = try significant.choose(moved, 0.0)
        background = reference.mean
        momentNorm = try Double((gain * background + shift - background).norm().item(as: Float.self))
        let standardised = try (moved / referenceDeviation).square().flatten().median()
        // 0.455: the median of the χ² distribution with one degree of freedom.
        contentDifference =
            try Double(standardised.item(as: Float.self))
            - 0.455 * (1 / Double(cluster.count) + 1 / Double(reference.count))
        boundaryNorm = try Double(boundary.norm().item(as: Float.self))
        transparency = try Double(
            ((gain * referenceDeviation).sum() / referenceDeviation.sum()).item(as: Float.self))
        let isWhole = try Double(gain.amin().item(as: Float.self)) > Self.leastVisible
        covered =
            isWhole
            ? nil : try Inpainting(isKnown: gain .> Self.leastVisible, background: background)
    }

    /// What rounding to one of 256 levels spreads a value by, in input units.
    private static func leastDeviation(_ lowest: Tensor, _ highest: Tensor) throws -> Double {
        try Double((highest - lowest).amax().item(as: Float.self)) / 255 / 12.0.squareRoot()
    }

    /// Images (N, C, H, W) with the trigger in this form, at strengths (N).
    package func stamping(_ form: TriggerEffect.Form, on images: Tensor, strengths: Tensor) throws -> Tensor {
        switch form {
        case .boundary(let scale): try adding(boundary, to: images, strengths: strengths * scale)
        case .moments(let scale): try stampingMoments(images, strengths: strengths * scale)
        }
    }

    /// L2 norm of what this form does to an image.
    package func norm(of form: TriggerEffect.Form) -> Double {
        switch form {
        case .boundary(let scale): boundaryNorm * scale
        case .moments(let scale): momentNorm * scale
        }
    }

    /// Images (N, C, H, W) with the moment estimate at strengths (N), 1 being the trigger as it was found.
    package func stampingMoments(_ images: Tensor, strengths: Tensor) throws -> Tensor {
        let strength = try strengths.perSample(rank: 4)
        let full = try images * gain + shift
        return try (images + (full - images) * strength).clamp(lowest, highest)
    }

    /// Images with `pattern` (C, H, W) or (N, C, H, W) added at strengths (N).
    package func adding(_ pattern: Tensor, to images: Tensor, strengths: Tensor) throws -> Tensor {
        try (images + pattern * strengths.perSample(rank: 4)).clamp(lowest, highest)
    }

    /// Images without the trigger: (x - s) / a, and what is around it where too little of the image is left.
    package func removed(from images: Tensor) throws -> Tensor {
        let restored = try ((images - shift) / gain.clamp(Self.leastVisible, nil)).clamp(lowest, highest)
        return try covered?.fill(restored).clamp(lowest, highest) ?? restored
    }
}

/// Per-value mean, variance and kurtosis of many images, gathered in two passes.
package struct Moments: Sendable {
    /// (C, H, W) each.
    package var mean: Tensor
    package var variance: Tensor
    /// 3 for a normal distribution; 1 where all images are alike.
    package var kurtosis: Tensor
    package var count: Int

    /// `weights`: how much each sample counts; nil for all alike.
    package init(_ images: LabelledImages, _ indices: [Int], weights: [Double]? = nil) throws {
        let total = weights?.reduce(0, +) ?? Double(indices.count)
        let shape = [images.dataset.channels, images.dataset.height, images.dataset.width]
        /// The weighted sums of what a batch, (n, C, H, W), is made into.
        func averages(_ count: Int, _ values: (Tensor) throws -> [Tensor]) throws -> [Tensor] {
            var sums = try (0..<count).map { _ in try Tensor.zeros(shape) }
            for positions in images.parts(of: Array(indices.indices), atMost: 512) {
                let weight = try Tensor(positions.map { Float(weights?[$0] ?? 1) }).perSample(rank: 4)
                for (place, value) in try values(images.batch(positions.map { indices[$0] })).enumerated() {
                    sums[place] = try sums[place] + (value * weight).sum([0])
                }
            }
            return try sums.map { try $0 / max(total, 1e-9) }
        }
        let centre = try averages(1) { [$0] }[0]
        let powers = try averages(2) {
            let squares = try ($0 - centre).square()
            return [squares, try squares.square()]
        }
        (mean, variance) = (centre, powers[0])
        kurtosis = try (powers[1] / powers[0].square().clamp(1e-12, nil)).clamp(1, nil)
        // Kish's effective sample size, so that unequal weights do not pretend to be more samples.
        let squared = weights.map { $0.reduce(0) { $0 + $1 * $1 } } ?? total
        count = max(1, Int(total * total / max(squared, 1e-9)))
    }

    package func deviation() throws -> Tensor { try variance.sqrt() }
}
