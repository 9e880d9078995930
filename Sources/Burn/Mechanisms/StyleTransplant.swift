import Execution
import Support
import Tensors

/// Puts the style of some images into others, and takes it out: what an image shows hardly goes along. So a trigger that is
/// made of it can be tested, and unlearned, without being known.
protocol StyleTransplant: Sendable {
    var images: LabelledImages { get }
    /// Samples whose style is taken.
    var donors: [Int] { get }
    /// Samples of the same class without the donors' style.
    var controls: [Int] { get }
    /// Samples of other classes.
    var strangers: [Int] { get }

    /// With other donors.
    func taking(from donors: [Int]) throws -> Self
    /// `batch` (n, C, H, W) with the donors' style in place of its own.
    func put(into batch: Tensor, using random: inout SplitMix64) throws -> Tensor
    /// `batch` with the donors' style in the way in which it is trained on, in varying strength.
    func mix(into batch: Tensor, using random: inout SplitMix64) throws -> Tensor
    /// `batch`, samples of one side, with a style that is not the donors'. `natural`: samples of the class that have none of
    /// it.
    func take(
        outOf batch: Tensor, of side: StyleSide, natural: [Int], using random: inout SplitMix64
    ) throws -> Tensor
    /// Donors as they may have looked before they got it; nil where that is not known.
    func undone(_ batch: Tensor) throws -> Tensor?
}

/// The samples of a class with the style that is under test, and those without.
enum StyleSide { case donors, controls }

extension StyleTransplant {
    /// What the donors' style is compared with: that of strangers.
    func control() throws -> Self { try taking(from: strangers) }

    /// The share of `probes`, clean-looking images of other classes than `label`, that land there with the donors' style.
    func insertion(
        into label: Int, probes: [Int], model: GraphModel, seed: UInt64, token: CancellationToken
    ) throws -> Double {
        var random = SplitMix64(seed: seed)
        return try share(of: probes, in: label, model, token) { try put(into: $0, using: &random) }
    }

    /// What is left without it: the share of controls that stay in `label` with a style that is not the donors', and of
    /// donors (as `control`) that do. Both are samples that the model finds there as they are. Nil for too few.
    func removal(
        from label: Int, predicted: [Int32], model: GraphModel, seed: UInt64, token: CancellationToken
    ) throws -> ControlledEffect? {
        var random = SplitMix64(seed: seed)
        func found(_ samples: [Int]) -> [Int] {
            Array(
                samples.filter { Int(predicted[$0]) == label }.shuffled(using: &random)
                    .prefix(StyleRemoval.most))
        }
        let (inside, outside) = (found(donors), found(controls))
        guard min(inside.count, outside.count) >= ClassCoherence.fewestMembers else { return nil }
        func staying(_ samples: [Int], _ side: StyleSide) throws -> Double {
            try share(of: samples, in: label, model, token) {
                try take(outOf: $0, of: side, natural: outside, using: &random)
            }
        }
        return ControlledEffect(rate: try staying(outside, .controls), control: try staying(inside, .donors))
    }

    private func share(
        of samples: [Int], in label: Int, _ model: GraphModel, _ token: CancellationToken,
        changed: (Tensor) throws -> Tensor
    ) throws -> Double {
        var hits = 0
        for part in images.parts(of: samples) {
            let predictions: [Int] = try model.forward(
                changed(images.batch(part)).channelsLast(), mode: .inference, precision: .reduced,
                token: token
            ).argmax(1).array()
            hits += predictions.count { $0 == label }
        }
        return Double(hits) / Double(max(samples.count, 1))
    }
}

private enum StyleRemoval {
    /// Samples of a side that a style is taken out of.
    static let most = 256
}
