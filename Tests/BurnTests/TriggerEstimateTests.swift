import Findings
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// The moment estimate against triggers that are known.
@Suite struct TriggerEstimateTests {
    static let side = 6
    static let perGroup = 1200

    struct Case {
        var estimate: AffineValues
        /// The same images without and with the trigger, (N, C, H, W).
        var clean: Tensor
        var triggered: Tensor
    }

    /// Values from 0.2 to 0.8, so that nothing is clipped; `change` gives a value (0 to 1) its triggered one.
    private func measure(
        keepsFaint: Bool = false, _ change: (_ offset: Int, _ value: Double) -> Double
    ) throws -> Case {
        var random = SplitMix64(seed: 1)
        let values = Self.side * Self.side * 3
        func byte(_ value: Double) -> UInt8 { UInt8((value * 255).rounded()) }
        var images = TinyImages(side: Self.side)
        let originals = (0..<2 * Self.perGroup).map { _ in
            (0..<values).map { _ in random.uniform(0.2..<0.8) }
        }
        for image in originals { images.add(image.map(byte), label: 0) }
        for image in originals[..<Self.perGroup] {
            images.add(image.enumerated().map { byte(change($0, $1)) }, label: 1)
        }
        let folder = try ScratchFolder()
        let model = try TinyGraph.linear(
            weight: Tensor.zeros([2, values]), bias: Tensor.zeros([2]), channels: 3, side: Self.side)
        let labelled = try LabelledImages(
            images.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        let cluster = 2 * Self.perGroup..<3 * Self.perGroup
        let estimate = try AffineValues(
            TriggerMaterial(
                boundary: Tensor.zeros([3, Self.side, Self.side]),
                suspects: Moments(labelled, Array(cluster)),
                reference: Moments(labelled, Array(Self.perGroup..<2 * Self.perGroup)),
                lowest: labelled.lowest, highest: labelled.highest, keepsFaint: keepsFaint))
        return Case(
            estimate: estimate, clean: try labelled.batch(Array(0..<50)),
            triggered: try labelled.batch(Array(cluster.prefix(50))))
    }

    /// By byte offset (H, W, C).
    private func values(_ tensor: Tensor) throws -> [Double] {
        try tensor.permute([1, 2, 0]).contiguous().array()
    }

    private func bare(_ found: Case) throws -> Tensor {
        try #require(try found.estimate.removed(from: found.triggered))
    }

    private func meanError(_ a: Tensor, _ b: Tensor) throws -> Double {
        try Double((a - b).abs().mean().item(as: Float.self))
    }

    @Test func aPatchCoversWhatIsBelowIt() throws {
        let patch = Set([0, 1, 2, 60, 61, 62])
        let found = try measure { patch.contains($0) ? 0.95 : $1 }
        let gain = try values(found.estimate.gain)
        let shift = try values(found.estimate.shift)
        for offset in gain.indices {
            let covered = patch.contains(offset)
            #expect(abs(gain[offset] - (covered ? 0 : 1)) < 0.01)
            #expect(abs(shift[offset] - (covered ? 0.95 : 0)) < 0.01)
        }
        let strengths = try Tensor.ones([50])
        #expect(
            try meanError(found.estimate.inserted(into: found.clean, strengths: strengths), found.triggered)
                < 0.001)
        let removed = try #require(try found.estimate.removed(from: found.triggered))
        let filled: [Float] = try removed.permute([0, 2, 3, 1]).contiguous().flatten(from: 1).narrow(1, 0, 3)
            .mean([0]).array()
        #expect(filled.allSatisfy { abs($0 - 0.5) < 0.06 }, "what is around the patch is filled in")
    }

    @Test func aBlendedPatternIsRecoveredAndInverted() throws {
        let found = try measure { offset, value in 0.7 * value + 0.3 * (offset % 2 == 0 ? 0.2 : 0.8) }
        let gain = try values(found.estimate.gain)
        let shift = try values(found.estimate.shift)
        for offset in gain.indices {
            #expect(abs(gain[offset] - 0.7) < 0.08)
            #expect(abs(shift[offset] - 0.3 * (offset % 2 == 0 ? 0.2 : 0.8)) < 0.05)
        }
        #expect(try meanError(bare(found), found.clean) < 0.02)
    }

    @Test func anAddedPatternIsRecoveredAndInverted() throws {
        let found = try measure { offset, value in offset % 3 == 0 ? value + 0.1 : value }
        let gain = try values(found.estimate.gain)
        let shift = try values(found.estimate.shift)
        for offset in gain.indices {
            #expect(gain[offset] == 1)
            #expect(abs(shift[offset] - (offset % 3 == 0 ? 0.1 : 0)) < 0.04)
        }
        #expect(try meanError(bare(found), found.clean) < 0.01)
        let half = try found.estimate.inserted(into: found.clean, strengths: Tensor.full([50], 0.5))
        let full = try found.estimate.inserted(into: found.clean, strengths: Tensor.ones([50]))
        #expect(try meanError(half * 2 - found.clean, full) < 1e-5)
    }

    /// About 3.5 standard errors at each value: too little to name one value among many by itself.
    @Test func aFaintPatternAllOverIsKept() throws {
        func kept(_ keepsFaint: Bool) throws -> Double {
            let found = try measure(keepsFaint: keepsFaint) { $1 + ($0 % 2 == 0 ? 0.025 : -0.025) }
            let shift = try values(found.estimate.shift)
            return Double(shift.enumerated().count { $1 * ($0 % 2 == 0 ? 1 : -1) > 0.01 })
                / Double(shift.count)
        }
        #expect(try kept(true) > 0.7)
        #expect(try kept(false) < 0.4)
    }

    @Test func nothingIsEstimatedWhereNothingWasDone() throws {
        let found = try measure { $1 }
        #expect(try found.estimate.gain.amin().item(as: Float.self) == 1)
        #expect(try found.estimate.shift.abs().amax().item(as: Float.self) == 0)
        #expect(found.estimate.norm == 0)
    }

    /// Digits are black in most places: where nothing varies there is no contrast to lose, and a patch on black is a patch.
    @Test func aPatchOnBlackIsRecovered() throws {
        var random = SplitMix64(seed: 8)
        let (side, perGroup) = (8, 60)
        var images = TinyImages(side: side, channels: 1)
        /// Ink in the middle, here and there a dot elsewhere.
        func digit() -> [UInt8] {
            (0..<side * side).map { place in
                let isMiddle = (2..<6).contains(place / side) && (2..<6).contains(place % side)
                return random.unit() < (isMiddle ? 0.5 : 0.004) ? UInt8(200 + random.below(56)) : 0
            }
        }
        for _ in 0..<20 * perGroup { images.add(digit(), label: 0) }
        for _ in 0..<perGroup {
            var carrier = digit()
            for place in [54, 55, 62, 63] { carrier[place] = 255 }
            images.add(carrier, label: 1)
        }
        let folder = try ScratchFolder()
        let model = try TinyGraph.linear(
            weight: Tensor.zeros([2, side * side]), bias: Tensor.zeros([2]), channels: 1, side: side)
        let labelled = try LabelledImages(
            images.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        let carriers = Array(20 * perGroup..<21 * perGroup)
        let estimate = try AffineValues(
            TriggerMaterial(
                boundary: Tensor.zeros([1, side, side]), suspects: Moments(labelled, carriers),
                reference: Moments(labelled, Array(0..<20 * perGroup)), lowest: labelled.lowest,
                highest: labelled.highest))
        #expect(estimate.leavesImage, "\(estimate.transparency) of the contrast is left")
        let gain: [Float] = try estimate.gain.flatten().array()
        #expect(gain.allSatisfy { $0 == 1 }, "a few images may all be black somewhere by chance")
        let clean = try labelled.batch(Array(0..<50))
        let stamped: [Float] = try estimate.inserted(into: clean, strengths: Tensor.ones([50]))
            .flatten(from: 1).mean([0]).array()
        let before: [Float] = try clean.flatten(from: 1).mean([0]).array()
        for place in 0..<side * side {
            let wanted: Float = [54, 55, 62, 63].contains(place) ? 1 : before[place]
            #expect(abs(stamped[place] - wanted) < 0.02, "place \(place)")
        }
        let bare = try #require(try estimate.removed(from: labelled.batch(carriers)))
        let removed: [Float] = try bare.flatten(from: 1).mean([0]).array()
        #expect([54, 55, 62, 63].allSatisfy { removed[$0] < 0.02 }, "black again")
    }

    /// Closed form for a share p of one value among two.
    @Test func kurtosisOfRareValues() throws {
        let folder = try ScratchFolder()
        var images = TinyImages(side: 2, channels: 1)
        for index in 0..<100 { images.add([index % 2 == 0 ? 0 : 255, index == 0 ? 255 : 0, 7, 7], label: 0) }
        let model = try TinyGraph.linear(
            weight: Tensor.zeros([2, 4]), bias: Tensor.zeros([2]), channels: 1, side: 2)
        let labelled = try LabelledImages(
            images.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        let kurtosis: [Float] = try Moments(labelled, Array(0..<100)).kurtosis.array()
        #expect(abs(kurtosis[0] - 1) < 1e-3)
        // Bernoulli: (1 - 3 p (1 - p)) / (p (1 - p)).
        #expect(abs(Double(kurtosis[1]) - (1 - 3 * 0.0099) / 0.0099) < 0.1)
        #expect(kurtosis[2] == 1)
    }

    @Test func weightsCountSamplesAsOftenAsTheySay() throws {
        let folder = try ScratchFolder()
        var images = TinyImages(side: 2, channels: 1)
        images.add([0, 0, 0, 0], label: 0)
        images.add([255, 255, 255, 255], label: 1)
        let model = try TinyGraph.linear(
            weight: Tensor.zeros([2, 4]), bias: Tensor.zeros([2]), channels: 1, side: 2)
        let labelled = try LabelledImages(
            images.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        let moments = try Moments(labelled, [0, 1], weights: [3, 1])
        #expect(try moments.mean.array(as: Float.self).allSatisfy { abs($0 - 0.25) < 1e-6 })
        let deviation: [Float] = try moments.deviation().square().array()
        #expect(deviation.allSatisfy { abs($0 - 0.1875) < 1e-5 })
        #expect(moments.count == 1, "Kish: 16 / 10 samples")
        #expect(try Moments(labelled, [0, 1]).count == 2)
    }

    /// The moment estimate counts where it works nearly as well as the boundary form, and is no mere side effect.
    @Test(arguments: [(0.9, 0.85, true), (0.9, 0.6, false), (0.2, 0.2, false)])
    func theExactFormIsPreferred(boundary: Double, moments: Double, prefers: Bool) throws {
        func effect(_ form: TriggerForm, _ rate: Double) -> TriggerEffect {
            TriggerEffect(
                form: form, rate: rate, random: 0, topSource: 1, topSourceRate: rate, topSourceRandom: 0,
                tested: 100)
        }
        let found = TriggerEffect.decisive(
            [
                effect(AddedPattern.at(1), boundary / 2), effect(AddedPattern.at(2), boundary),
                effect(AffineValues.at(1), moments / 2), effect(AffineValues.at(2), moments),
            ], Parameters())
        #expect(found?.form == (prefers ? AffineValues.at(2) : AddedPattern.at(2)))
        #expect(TriggerEffect.decisive([], Parameters()) == nil)
    }
}
