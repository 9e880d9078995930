import Findings
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// How pixels differ from their neighbours, on images where that is known.
@Suite struct NoiseTests {
    private static let side = 8
    private static let bins = 81

    /// One image for each function of row, column and channel.
    private func images(
        _ drawn: [(Int, Int, Int) -> UInt8], in folder: ScratchFolder
    ) throws -> LabelledImages {
        var images = TinyImages(side: Self.side)
        for (label, value) in drawn.enumerated() {
            images.add(
                (0..<Self.side * Self.side * 3).map { value($0 / 3 / Self.side, $0 / 3 % Self.side, $0 % 3) },
                label: label)
        }
        let graph = try TinyGraph.convolutional(side: Self.side, classes: drawn.count, seed: 1).graph
        return try LabelledImages(images.packed(in: folder.file("set")), for: graph, options: JobOptions())
    }

    @Test func differencesOfARampAndAChequeredImageAreCounted() throws {
        let folder = try ScratchFolder()
        let images = try images(
            [
                { _, _, _ in 90 },
                { _, x, _ in UInt8(20 + 3 * x) },
                { y, x, _ in (y + x).isMultiple(of: 2) ? 100 : 110 },
            ], in: folder)
        let description = try #require(try NoiseDescription(images))
        let rows = try description.values([0, 1, 2])
        #expect(rows.shape == [3, description.width])
        let values: [Float] = try rows.array()
        /// The bins of one histogram that hold anything, as differences in grey levels, with their shares.
        func shares(_ image: Int, _ histogram: Int) -> [Int: Float] {
            let start = image * description.width + histogram * Self.bins
            return Dictionary(
                uniqueKeysWithValues: (0..<Self.bins).compactMap { bin in
                    let root = values[start + bin]
                    return root > 0 ? (bin - Self.bins / 2, root * root) : nil
                })
        }
        for histogram in 0..<4 { #expect(shares(0, histogram) == [0: 1]) }
        #expect(shares(1, 0) == [3: 1], "along the row")
        #expect(shares(1, 1) == [0: 1], "along the column")
        #expect(shares(1, 2) == [0: 1] && shares(1, 3) == [0: 1], "a ramp has no second differences")
        for histogram in 0..<2 {
            let found = shares(2, histogram)
            #expect(Set(found.keys) == [-10, 10] && abs(found[10, default: 0] - 0.5) < 1e-5)
        }
        #expect(Set(shares(2, 2).keys) == [-10, 10])
        #expect(Set(shares(2, 3).keys) == [-20, 20])
    }

    @Test func imagesWithoutNeighbourhoodsHaveNoNoise() throws {
        let folder = try ScratchFolder()
        var images = TinyImages(side: 2)
        images.add([UInt8](repeating: 9, count: 12), label: 0)
        let graph = try TinyGraph.linear(
            weight: Tensor.zeros([1, 12]), bias: Tensor.zeros([1]), channels: 3, side: 2
        ).graph
        let labelled = try LabelledImages(
            images.packed(in: folder.file("set")), for: graph, options: JobOptions())
        #expect(try NoiseDescription(labelled) == nil)
    }

    @Test func noiseIsLaidOverAnotherImagesLocalMean() throws {
        let folder = try ScratchFolder()
        var random = SplitMix64(seed: 4)
        let rough = (0..<Self.side * Self.side * 3).map { _ in UInt8(100 + random.below(40)) }
        let images = try images(
            [
                { y, x, channel in rough[(y * Self.side + x) * 3 + channel] },
                { _, _, _ in 150 },
                { y, x, _ in UInt8(60 + 2 * x + y) },
            ], in: folder)
        let transplant = NoiseTransplant(images: images, donors: [0], controls: [1], strangers: [2])
        let own = try transplant.apply(to: images.batch([0]), noiseOf: [0])
        let difference: Float = try (own - images.batch([0])).abs().amax().item()
        #expect(difference < 1e-6, "an image with its own noise is the image")
        // On a flat image, noise is all there is, about the image's own value.
        let onFlat = try transplant.mix(into: images.batch([1]), using: &random)
        let mean: Float = try onFlat.mean().item()
        #expect(abs(mean - 150 / 255) < 0.01)
        let spread: Float = try onFlat.flatten().standardDeviation([0]).item()
        let spreadOfDonor: Float = try images.batch([0]).contiguous().flatten().standardDeviation([0]).item()
        #expect(spread > 0.7 * spreadOfDonor)
        // A flat donor has none: what is left of a ramp is its local mean, which inside is the ramp.
        let ramp = try images.batch([2])
        let smoothed = try transplant.apply(to: ramp, noiseOf: [1])
        let inner = try (smoothed - ramp).narrow(2, 1, Self.side - 2).narrow(3, 1, Self.side - 2)
        let changed: Float = try inner.abs().amax().item()
        #expect(changed < 1e-5)
    }

    /// Three hundred samples with a class's label, of which 0 to 49 are the bundle.
    @Test func whatLeavesTheClassIsPlantedAsFarAsItsNoiseAllows() throws {
        let folder = try ScratchFolder()
        let images = try images([{ _, _, _ in 90 }, { _, _, _ in 91 }], in: folder)
        var posteriors = Dictionary(uniqueKeysWithValues: (0..<300).map { ($0, 0.0) })
        for sample in 0..<50 { posteriors[sample] = 0.95 }
        for sample in 50..<60 { posteriors[sample] = 0.2 }
        for sample in 290..<295 { posteriors[sample] = 0.95 }
        for sample in 295..<300 { posteriors[sample] = 0.85 }
        let effect = ControlledEffect(rate: 1, control: 0)
        var evidence = StyleEvidence(
            style: .noise, suspects: Array(0..<50),
            transplant: NoiseTransplant(images: images, donors: [0], controls: [1], strangers: [1]),
            insertion: effect, removal: effect, posteriors: posteriors)
        #expect(evidence.planted == Array(0..<50), "nothing more is known")
        // The bundle's cover samples (45 to 49) stay; so do most of the others. The last ten were not asked about.
        evidence.unlearning = UnlearningTest.Outcome(
            adopted: 1, kept: 1, leaving: Set(0..<45).union(50..<70), tested: Set(0..<290))
        let likely = Array(0..<45) + Array(50..<60) + Array(290..<295)
        #expect(evidence.planted == likely, "60 to 69 leave, but have no such noise")
        evidence.unlearning?.leaving = Set(0..<45).union(50..<250)
        #expect(
            evidence.planted == Array(0..<45) + Array(290..<295),
            "what leaves as often beside the bundle says little")
    }

    /// Whether a style is a backdoor is told by its two effects together, and by their p-values.
    @Test func aStyleIsJudgedByBothOfItsEffects() throws {
        let folder = try ScratchFolder()
        let images = try images([{ _, _, _ in 90 }, { _, _, _ in 91 }], in: folder)
        func judgement(inserted: Double, removed: Double, pValue: Double) -> Conclusion.Judgement {
            var finding = ClassFinding(label: 0, judge: .standard)
            finding.style = StyleEvidence(
                style: .noise, suspects: [0],
                transplant: NoiseTransplant(images: images, donors: [0], controls: [1], strangers: [1]),
                insertion: ControlledEffect(rate: inserted, control: 0),
                removal: ControlledEffect(rate: removed, control: 0),
                effectPValue: pValue, posteriors: [0: 1])
            finding.judgeByStyle()
            return finding.judgement
        }
        #expect(judgement(inserted: 0.15, removed: 0.3, pValue: 1e-5) == .backdoored)
        #expect(judgement(inserted: 0.6, removed: 0.2, pValue: 1e-5) == .backdoored)
        #expect(judgement(inserted: 0.2, removed: 0.2, pValue: 1e-5) == .suspicious, "too little of both")
        #expect(
            judgement(inserted: 0.9, removed: 0.05, pValue: 1e-5) == .clean, "a texture of the class's own")
        #expect(judgement(inserted: 0.6, removed: 0.3, pValue: 0.04) == .clean, "as in other classes")
    }

    /// A suspicion becomes a backdoor where unlearning agrees. Noise stays one where it doesn't; tones, which show what an
    /// image is of, are nothing then, however strong.
    @Test(
        arguments: [
            (.noise, 3e-4, 0.01, .backdoored), (.noise, 3e-4, 0.5, .suspicious),
            (.noise, 3e-4, nil, .suspicious), (.tone, 1e-6, 0.02, .backdoored), (.tone, 1e-6, 0.27, .clean),
            (.tone, 1e-6, nil, .clean),
        ] as [(ImageStyle, Double, Double?, Conclusion.Judgement)])
    func aStyleIsConfirmedByUnlearning(
        style: ImageStyle, inserted: Double, unlearned: Double?, judgement: Conclusion.Judgement
    ) throws {
        let folder = try ScratchFolder()
        let images = try images([{ _, _, _ in 90 }, { _, _, _ in 91 }], in: folder)
        var finding = ClassFinding(label: 0, judge: .standard)
        finding.style = StyleEvidence(
            style: style, suspects: [0],
            transplant: NoiseTransplant(images: images, donors: [0], controls: [1], strangers: [1]),
            insertion: ControlledEffect(rate: 0.3, control: 0),
            removal: ControlledEffect(rate: 0.5, control: 0.24),
            effectPValue: inserted, posteriors: [0: 1])
        finding.judgeByStyle()
        #expect(finding.judgement == (style == .noise ? .suspicious : .backdoored))
        finding.style?.unlearned = unlearned.map { (1.5, $0) }
        finding.judgeByUnlearnedStyle()
        #expect(finding.judgement == judgement)
        #expect(finding.isFoundByStyle == (judgement != .clean))
    }
}
