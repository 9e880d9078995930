import Findings
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// Planted samples that the model failed on, found by what the flagged ones look like.
@Suite struct TriggerTemplateTests {
    static let side = 8
    static let target = 1

    struct Case {
        var images = TinyImages(side: TriggerTemplateTests.side)
        var predicted: [Int32] = []
        var flagged: [Bool] = []
        private var random = SplitMix64(seed: 5)

        /// Images of independent values around `brightness`; the corner is white in those that are `stamped`.
        mutating func add(
            _ count: Int, label: Int, predicted prediction: Int, brightness: Double = 0.4,
            stamped: Bool = false,
            flagged isFlagged: Bool = false
        ) {
            let side = TriggerTemplateTests.side
            for _ in 0..<count {
                var values = (0..<side * side * 3).map { _ in
                    UInt8(255 * (brightness + random.uniform(-0.3..<0.3)))
                }
                if stamped {
                    for y in 0..<2 {
                        for x in 0..<2 { for c in 0..<3 { values[(y * side + x) * 3 + c] = 255 } }
                    }
                }
                images.add(values, label: label)
                predicted.append(Int32(prediction))
                flagged.append(isFlagged)
            }
        }

        func matches() throws -> [TriggerTemplate.Match] {
            let folder = try ScratchFolder()
            let values = TriggerTemplateTests.side * TriggerTemplateTests.side * 3
            let model = try TinyGraph.linear(
                weight: Tensor.zeros([2, values]), bias: Tensor.zeros([2]), channels: 3,
                side: TriggerTemplateTests.side)
            let labelled = try LabelledImages(
                images.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
            var table = AnalysisTable(count: predicted.count)
            table.predicted = predicted
            return try TriggerTemplate.matches(
                targets: [TriggerTemplateTests.target], flagged: Set(flagged.indices.filter { flagged[$0] }),
                images: labelled, labelled: LabelledSamples(of: labelled), table: table,
                parameters: Parameters())
        }
    }

    /// Two hundred planted samples that were flagged, forty that the model sees as what they show: their bright
    /// surroundings hide the white corner. `natural` of the class's own 400 have one as well.
    private func square(natural: Int) -> (samples: Case, missed: Range<Int>) {
        var samples = Case()
        samples.add(1000, label: 0, predicted: 0)
        samples.add(200, label: 1, predicted: 1, stamped: true, flagged: true)
        samples.add(400 - natural, label: 1, predicted: 1)
        samples.add(natural, label: 1, predicted: 1, stamped: true)
        samples.add(60, label: 1, predicted: 0)
        samples.add(60, label: 1, predicted: 0, brightness: 0.65)
        let first = samples.predicted.count
        samples.add(40, label: 1, predicted: 0, brightness: 0.65, stamped: true)
        return (samples, first..<first + 40)
    }

    @Test func plantedSamplesAreFoundWhateverSurroundsTheTrigger() throws {
        let (samples, missed) = square(natural: 8)
        let found = try samples.matches()
        #expect(Set(found.map(\.sample)) == Set(missed))
        #expect(found.allSatisfy { 0.8 <= $0.score && $0.score <= 0.95 })
    }

    @Test func nothingIsMatchedWhereTheClassLooksLikeTheTriggerByNature() throws {
        #expect(try square(natural: 160).samples.matches().isEmpty)
    }

    @Test func nothingIsMatchedWhereTheFlaggedSamplesLookLikeTheOthers() throws {
        var samples = Case()
        samples.add(1000, label: 0, predicted: 0)
        samples.add(200, label: 1, predicted: 1, flagged: true)
        samples.add(400, label: 1, predicted: 1)
        samples.add(160, label: 1, predicted: 0)
        #expect(try samples.matches().isEmpty)
    }
}
