import Execution
import Findings
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// Patterns in whitened images: who carries one is known here.
@Suite struct ImageBundleTests {
    private struct Drawn {
        var images: LabelledImages
        var carriers: Set<Int>
        var store: PerturbationStore
        let folder: ScratchFolder
    }

    /// Textures of four classes, every `period`th with a square in its corner.
    private func draw(_ count: Int, stampEvery period: Int?) throws -> Drawn {
        let folder = try ScratchFolder()
        var drawn = TinyImages.textures(count, side: 16, seed: 51)
        var carriers: Set<Int> = []
        if let period {
            for sample in stride(from: 0, to: count, by: period) {
                drawn.stamp(sample)
                carriers.insert(sample)
            }
        }
        let graph = try TinyGraph.convolutional(side: 16, classes: 4, seed: 52).graph
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: graph, options: JobOptions())
        let token = try CancellationToken()
        let whitening = try ImageWhitening(PixelDescription(images), of: count, token: token)
        let store = try whitening.write(count, to: folder.file("w"), token: token)
        return Drawn(images: images, carriers: carriers, store: store, folder: folder)
    }

    @Test func whitenedImagesVaryAlikeInEveryDirection() throws {
        let drawn = try draw(2400, stampEvery: nil)
        let rows = try drawn.store.rows(Array(0..<2400))
        let norms: [Float] = try rows.norm([1]).array()
        #expect(norms.allSatisfy { abs($0 - 1) < 0.01 })
        let centred = try rows - rows.mean([0])
        let values = try (centred.transpose().matmul(centred) / 2400).symmetricEigen().values
            .array(as: Float.self)
        // Rows of length 1 have 1 / width of variance in each direction, were they all alike. The raw images'
        // largest is 100 times that.
        let even = 1 / Float(values.count)
        #expect(try #require(values.max()) < 3 * even)
    }

    @Test func aBundleGrowsFromAStartThatIsMostlyOtherSamples() throws {
        let drawn = try draw(2400, stampEvery: 11)
        var random = SplitMix64(seed: 7)
        let others = (0..<2400).filter { !drawn.carriers.contains($0) }.shuffled(using: &random)
        let start = drawn.carriers.sorted().prefix(60) + others.prefix(140)
        let bundle = try #require(
            try ImageBundle.grown(
                from: Array(start), among: Array(0..<2400), of: 2400, store: drawn.store,
                parameters: Parameters(), seed: 3))
        let members = Set(bundle.members)
        #expect(Double(members.intersection(drawn.carriers).count) >= 0.95 * Double(drawn.carriers.count))
        #expect(members.subtracting(drawn.carriers).count <= 20)
        #expect(bundle.pValue < 0.01)
        #expect(bundle.posteriors.count == 2400 && bundle.posteriors.allSatisfy { (0...1).contains($0) })
    }

    @Test func imagesWithoutAPatternHaveNoUnusualBundle() throws {
        let drawn = try draw(2400, stampEvery: nil)
        var random = SplitMix64(seed: 8)
        let start = Array((0..<2400).shuffled(using: &random).prefix(200))
        let bundle = try ImageBundle.grown(
            from: start, among: Array(0..<2400), of: 2400, store: drawn.store, parameters: Parameters(),
            seed: 4)
        #expect(bundle.map { $0.pValue > 0.01 } ?? true)
    }

    @Test func aStartTooSmallToMeanAnythingGivesNothing() throws {
        let drawn = try draw(600, stampEvery: 5)
        let few = Array(drawn.carriers.sorted().prefix(Int(Parameters().smallestGroup) - 1))
        #expect(
            try ImageBundle.grown(
                from: few, among: Array(0..<600), of: 600, store: drawn.store, parameters: Parameters(),
                seed: 5)
                == nil)
    }

    private func response(_ destination: (Int) -> Int) -> TriggerResponse {
        let sources = (0..<400).map { $0 % 4 }
        return TriggerResponse(
            form: AffineValues.at(1),
            triggered: ResponseMatrix(sources: sources, destinations: sources.map(destination)),
            random: ResponseMatrix(sources: sources, destinations: sources))
    }

    private func map(_ response: TriggerResponse) throws -> LabelMap {
        let drawn = try draw(600, stampEvery: nil)
        var table = AnalysisTable(count: 600)
        table.linearDistance = table.linearDistance.map { _ in 1 }
        table.predicted = drawn.images.labels.map(Int32.init)
        let bundle = ImageBundle(members: Array(0..<60), posteriors: [], gain: 100, pValue: 1e-6)
        return LabelMap(
            responses: [response], bundle: bundle, images: drawn.images,
            labelled: LabelledSamples(of: drawn.images), table: table,
            parameters: Parameters())
    }

    @Test func destinationsOfTheirOwnSourcesAreABackdoorIntoAllClasses() throws {
        let found = try map(response { ($0 + 1) % 4 })
        #expect(found.isWorking && found.isIntoMost && !found.isContradicted)
        #expect(found.effects.count == 4)
        for (label, effect) in found.effects {
            #expect(effect.topSource == (label + 3) % 4)
            #expect(effect.topSourceRate == 1 && effect.topSourceRandom == 0)
        }
        #expect(found.judgement(pValue: 1e-6, persists: false, .standard) == .backdoored)
        #expect(found.judgement(pValue: 0.003, persists: false, .standard) == .suspicious)
        #expect(found.judgement(pValue: 0.5, persists: false, .standard) == .clean)
    }

    @Test func aPatternThatSendsAllClassesIntoOneIsNoneIntoAllClasses() throws {
        let found = try map(response { _ in 2 })
        #expect(!found.isWorking)
        #expect(found.judgement(pValue: 1e-6, persists: false, .standard) == .clean)
    }

    /// As what bright backgrounds have in common does: each into a class of its own, but not into most of them.
    @Test(arguments: [3, 4, 5]) func destinationsAreCountedAmongAllLabels(moved: Int) throws {
        let classes = 8
        let folder = try ScratchFolder()
        let graph = try TinyGraph.convolutional(side: 8, classes: classes, seed: 1).graph
        let images = try LabelledImages(
            TinyImages.noise(80, side: 8, classes: classes, seed: 2).packed(in: folder.file("set")),
            for: graph,
            options: JobOptions())
        var table = AnalysisTable(count: images.count)
        table.linearDistance = table.linearDistance.map { _ in 1 }
        table.predicted = images.labels.map(Int32.init)
        let sources = (0..<400).map { $0 % classes }
        let response = TriggerResponse(
            form: AffineValues.at(1),
            triggered: ResponseMatrix(
                sources: sources, destinations: sources.map { $0 < moved ? ($0 + 1) % classes : $0 }),
            random: ResponseMatrix(sources: sources, destinations: sources))
        let bundle = ImageBundle(members: Array(0..<20), posteriors: [], gain: 100, pValue: 1e-6)
        let found = LabelMap(
            responses: [response], bundle: bundle, images: images,
            labelled: LabelledSamples(of: images), table: table,
            parameters: Parameters())
        #expect(found.isWorking && found.effects.count == moved)
        #expect(found.isIntoMost == (2 * moved > classes))
    }

    @Test func labelsThatContradictTheModelAreSuspiciousEvenWhereThePatternDoesNotWork() throws {
        let drawn = try draw(600, stampEvery: nil)
        var table = AnalysisTable(count: 600)
        table.linearDistance = table.linearDistance.map { _ in 1 }
        // The model sees the class before the label's in the bundle's samples, and the label in all others.
        table.predicted = drawn.images.labels.enumerated().map { sample, label in
            Int32(sample < 60 ? (label + 3) % 4 : label)
        }
        let bundle = ImageBundle(members: Array(0..<60), posteriors: [], gain: 100, pValue: 1e-6)
        let found = LabelMap(
            responses: [response { $0 }], bundle: bundle, images: drawn.images,
            labelled: LabelledSamples(of: drawn.images), table: table,
            parameters: Parameters())
        #expect(!found.isWorking && found.isContradicted)
        #expect(Set(found.effects.keys) == [0, 1, 2, 3])
        #expect(found.judgement(pValue: 1e-6, persists: true, .standard) == .suspicious)
        // Without the pattern the samples show their labels: it disturbs the model, and was not planted.
        #expect(found.judgement(pValue: 1e-6, persists: false, .standard) == .clean)
    }
}
