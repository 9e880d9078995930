import Execution
import Findings
import Tensors
import Testing
import TinyModels

@testable import Burn

/// The evidence decides at every size, and what can't be judged is never clean.
@Suite struct SmallSetTests {
    static let width = 400

    /// Random unit rows, of which those of `planted` lean on one direction.
    private func store(
        _ sizes: [Int], planted: Range<Int>, cosine: Double, seed: UInt64, in folder: ScratchFolder
    )
        throws -> PerturbationStore
    {
        let generator = try Generator(seed: seed)
        let count = sizes.reduce(0, +)
        var rows = try Tensor.randn([count, Self.width], generator: generator)
        rows = try rows / rows.norm([1], keepDimensions: true)
        let common = try Tensor.randn([1, Self.width], generator: generator)
        let leaning =
            try common / common.norm() * cosine + rows.rows(planted) * (1 - cosine * cosine).squareRoot()
        rows = try Tensor.cat([
            rows.rows(0..<planted.lowerBound), leaning, rows.rows(planted.upperBound..<count),
        ])
        let store = try PerturbationStore(path: folder.file("p"), samples: count, values: Self.width)
        try store.write(rows / rows.norm([1], keepDimensions: true), of: Array(0..<rows.shape[0]))
        return store
    }

    private func members(_ sizes: [Int]) -> [Int: [Int]] {
        var start = 0
        return Dictionary(
            uniqueKeysWithValues: sizes.enumerated().map { label, size in
                defer { start += size }
                return (label, Array(start..<start + size))
            })
    }

    private func pValues(_ sizes: [Int], planted: Range<Int>, cosine: Double, seed: UInt64) throws
        -> [Double?]
    {
        let folder = try ScratchFolder()
        let members = members(sizes)
        let store = try store(sizes, planted: planted, cosine: cosine, seed: seed, in: folder)
        let coherences = try sizes.indices.map {
            try ClassCoherence(members: members[$0] ?? [], store: store, parameters: Parameters(), seed: 3)
        }
        let null = try CoherenceNull(
            members: members, coherences: coherences, store: store, parameters: Parameters(),
            seed: 4, token: CancellationToken())
        return zip(sizes.indices, coherences).map { null.pValue(of: $1.strength, label: $0) }
    }

    /// Also where the class is most of its own null, or its unplanted part too small to be one.
    @Test(arguments: [
        [21, 9, 9, 9, 9, 9, 9, 9, 9, 9], [25, 40, 30], [30, 200], [14, 6, 6, 6, 6, 6, 6, 6],
        [45, 20, 30, 30, 40],
    ]) func aFewPlantedSamplesStandOutOfAFew(sizes: [Int]) throws {
        let pValues = try pValues(sizes, planted: 0..<sizes[0] / 2 + 1, cosine: 0.7, seed: 11)
        #expect(try #require(pValues[0]) < 0.01 / Double(sizes.count))
        #expect(
            pValues.dropFirst().allSatisfy { ($0 ?? 1) > 0.05 / Double(sizes.count) }
        )
    }

    /// Of 20 sets of ten classes with nothing hidden, hardly one shows something at a level of five per cent.
    @Test func smallClassesWithNothingHiddenShowNothing() throws {
        let sizes = [9, 14, 7, 21, 10, 8, 12, 6, 16, 30]
        let found = try (0..<20).count { seed in
            try pValues(sizes, planted: 0..<0, cosine: 0, seed: UInt64(seed)).contains {
                ($0 ?? 1) < 0.05 / Double(sizes.count)
            }
        }
        #expect(found <= 2)
    }

    @Test func whatWouldHaveBeenNoticedIsMeasured() throws {
        let sizes = [4, 8, 20, 60, 300]
        let folder = try ScratchFolder()
        let members = members(sizes).filter { $0.value.count >= ClassCoherence.fewestForBundle }
        let store = try store(sizes, planted: 0..<0, cosine: 0, seed: 12, in: folder)
        let coherences = try members.values.map {
            try ClassCoherence(members: $0, store: store, parameters: Parameters(), seed: 3)
        }
        let token = try CancellationToken()
        let null = try CoherenceNull(
            members: members, coherences: coherences, store: store, parameters: Parameters(), seed: 4,
            token: token)
        let power = DetectionPower(
            members: members, store: store, null: null, judge: Judge(Parameters(), classes: sizes.count),
            seed: 5, token: token)
        let noticed = try power.measure(
            Array(sizes.indices), sizes: Dictionary(uniqueKeysWithValues: sizes.enumerated().map { ($0, $1) })
        )
        #expect(noticed[0] == nil, "four samples tell nothing")
        for label in 2..<sizes.count {
            let measured = try #require(noticed[label])
            #expect((3...sizes[label] / 2).contains(measured.samples))
            #expect(measured.trials == 10 && measured.found >= 9)
        }
    }

    /// The same model, and fewer and fewer of the images that it was trained on.
    @Test func theVerdictOnFewImagesRestsOnEvidence() throws {
        let folder = try ScratchFolder()
        var drawn = TinyImages.textures(1200, side: 16, seed: 31)
        for sample in stride(from: 0, to: drawn.labels.count, by: 9) where drawn.labels[sample] != 2 {
            drawn.stamp(sample)
            drawn.labels[sample] = 2
        }
        let model = try TinyGraph.convolutional(side: 16, classes: 4, seed: 32)
        let all = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        try SupervisedTraining(images: all, epochs: 25, learningRate: 0.05, seed: 33).run(model)
        let hundred = try verdict(drawn, 0..<120, model, folder.file("hundred"))
        #expect([.backdoored, .suspicious].contains(hundred.result) && hundred.targetClasses == [2])
        #expect(hundred.poisonedSamples >= 8)
        let few = try verdict(drawn, 0..<16, model, folder.file("few"))
        #expect(few.result == .undetermined)
        #expect(few.unjudgedClasses == [0, 1, 2, 3])
        #expect(few.confidence == nil && few.detectableRate == nil)
        #expect(few.evidence.statements.contains { $0.hasPrefix("Not judged: class-0 (") })
        #expect(few.evidence.classes.map(\.samples).reduce(0, +) == 16)
        // A class that the set has no sample of can't have been planted into with it, and is named.
        let others = drawn.labels.indices.filter { drawn.labels[$0] != 2 }
        let partial = try verdict(drawn, Array(others.prefix(200)), model, folder.file("partial"))
        #expect([.clean, .undetermined].contains(partial.result), "\(partial.evidence.statements)")
        #expect(try !#require(partial.unjudgedClasses).contains(2))
        #expect(partial.evidence.statements.contains { $0.hasPrefix("No sample has the label 2:") })
    }

    private func verdict(
        _ drawn: TinyImages, _ chosen: some Collection<Int>, _ model: GraphModel, _ path: String
    ) throws -> Verdict {
        var part = TinyImages(side: drawn.side)
        for sample in chosen { part.add(drawn.images[sample], label: drawn.labels[sample]) }
        let folder = try ScratchFolder()
        let images = try LabelledImages(
            part.packed(in: path), for: model.graph, options: JobOptions(classes: Self.outputs(part.labels)))
        return try Surveyed(model, images, in: folder).detect(model, images, in: folder).verdict
    }

    private static func outputs(_ labels: [Int]) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: Set(labels).map { ("class-\($0)", $0) })
    }
}
