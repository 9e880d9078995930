import Execution
import Findings
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// A class's images may share a pattern by nature, as those of every other class do.
@Suite struct ComparedBundleTests {
    private static let classes = 8
    private static let members = 200
    /// The class that is under suspicion, by half of its samples.
    private static let suspect = 3

    /// Noise; every second image of some classes has a pattern of the class's own.
    private func drawn(patterned: Set<Int>) -> TinyImages {
        var random = SplitMix64(seed: 9)
        var images = TinyImages(side: 12)
        let patterns = (0..<Self.classes).map { _ in (0..<432).map { _ in random.uniform(-0.2..<0.2) } }
        for order in 0..<Self.classes * Self.members {
            let label = order % Self.classes
            let isPatterned = order / Self.classes % 2 == 0 && patterned.contains(label)
            images.add(
                (0..<432).map {
                    UInt8(255 * (0.5 + random.uniform(-0.2..<0.2) + (isPatterned ? patterns[label][$0] : 0)))
                }, label: label)
        }
        return images
    }

    /// The suspect after its bundle was compared, where its cluster is notable by itself and its trigger works.
    private func judged(patterned: Set<Int>) throws -> ClassFinding {
        let folder = try ScratchFolder()
        let model = try TinyGraph.convolutional(side: 12, classes: Self.classes, seed: 5)
        let images = try LabelledImages(
            drawn(patterned: patterned).packed(in: folder.file("set")), for: model.graph,
            options: JobOptions())
        let token = try CancellationToken()
        let store = try ImageWhitening(PixelDescription(images), of: images.count, token: token)
            .write(images.count, to: folder.file("w"), token: token)
        var table = AnalysisTable(count: images.count)
        for sample in images.labels.indices { table.predicted[sample] = Int32(images.labels[sample]) }
        let judge = Judge(Parameters(), classes: Self.classes)
        let search = ImageSearch(
            images: images, labelled: LabelledSamples(of: images), table: table,
            store: store,
            triggers: TriggerSearch(
                model: model, images: images, labelled: LabelledSamples(of: images), table: table,
                store: store, judge: judge, seed: 1, token: token),
            judge: judge, seed: 1, pool: WorkerPool(threads: 1, token: token), token: token)
        var findings = (0..<Self.classes).map { label in
            var finding = ClassFinding(label: label, judge: judge)
            let members = images.labels.indices.filter { images.labels[$0] == label }
            let cluster = members.filter { $0 / Self.classes % 2 == 0 }
            finding.coherence = ClassCoherence(
                members: members, cosines: members.map { $0 / Self.classes % 2 == 0 ? 0.8 : 0.1 },
                mixture: TwoComponentMixture(
                    fitting: members.map { $0 / Self.classes % 2 == 0 ? 0.8 : 0.1 }, upper: [0]),
                cluster: cluster)
            return finding
        }
        findings[Self.suspect].coherencePValue = 0.003
        findings[Self.suspect].labelledSuspects = 100
        findings[Self.suspect].effect = TriggerEffect(
            form: AffineValues.at(1), rate: 0.9, random: 0, topSource: 0, topSourceRate: 1,
            topSourceRandom: 0,
            tested: 300)
        try search.confirm(&findings[Self.suspect])
        let bundle = try #require(findings[Self.suspect].images)
        #expect(bundle.pValue < judge.certain, "no group of random samples is like it")
        #expect(findings[Self.suspect].needsComparedBundle)
        try search.compareBundles(&findings, Array(findings.indices))
        findings[Self.suspect].judgeByPerturbations()
        return findings[Self.suspect]
    }

    @Test func whatEveryClassHasInCommonConfirmsNothing() throws {
        let natural = try judged(patterned: Set(0..<Self.classes))
        #expect(try #require(natural.bundlePValue) > 0.05)
        #expect(natural.judgement != .backdoored)
    }

    @Test func whatOneClassAloneHasInCommonDoes() throws {
        let planted = try judged(patterned: [Self.suspect])
        // The others have no bundle, or a faint one.
        #expect(planted.bundlePValue.map { $0 < 0.001 } ?? true)
        #expect(planted.judgement == .backdoored)
    }
}
