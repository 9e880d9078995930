import Execution
import Findings
import Tensors
import Testing
import TinyModels

@testable import Burn

/// How many of a suspicious class are descended from, by what the first of them show.
@Suite struct SuspectsTests {
    private struct Found {
        var flagged: [Bool]
        /// Members of the target class, and those of them that were descended from.
        var members: Int
        var analysed: Int
        var hits: Double
    }

    private static let target = 2

    /// - Parameter stamp: changes every ninth image of other classes, which gets the target's label.
    private func detect(
        asking few: Int, stamp: (inout TinyImages, Int) -> Void
    ) throws -> Found {
        try Threads.setCurrent(2)
        let folder = try ScratchFolder()
        var drawn = TinyImages.textures(1200, side: 16, seed: 31)
        let poisoned = drawn.labels.indices.filter { $0 % 9 == 0 && drawn.labels[$0] != Self.target }
        for sample in poisoned {
            stamp(&drawn, sample)
            drawn.labels[sample] = Self.target
        }
        let model = try TinyGraph.convolutional(side: 16, classes: 4, seed: 32)
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        try SupervisedTraining(images: images, epochs: 25, learningRate: 0.05, seed: 33).run(model)
        let first = try Surveyed(model, images, in: folder)
        let outcome = try first.detect(model, images, in: folder, analysedOfSuspects: few)
        let members = images.labels.indices.filter { first.table.predicted[$0] == Self.target }
        return Found(
            flagged: outcome.flagged, members: members.count,
            analysed: members.count { first.table.isAnalysed($0) },
            hits: Double(poisoned.count { outcome.flagged[$0] }) / Double(poisoned.count))
    }

    @Test func fewAreEnoughWhereTheyLeaveTheGroupsAsTheyWere() throws {
        let (few, all) = try (
            detect(asking: 20) { $0.stamp($1) }, detect(asking: .max) { $0.stamp($1) }
        )
        #expect(few.analysed < few.members / 2 && all.analysed == all.members)
        #expect(few.flagged == all.flagged && few.hits == 1)
    }

    @Test func allAreAskedWhereSomeBelongToTheOtherGroup() throws {
        let (few, all) = try (
            detect(asking: 20) { $0.stamp($1, size: 2) }, detect(asking: .max) { $0.stamp($1, size: 2) }
        )
        #expect(few.analysed == few.members)
        #expect(few.flagged == all.flagged && few.hits > 0.95)
    }
}
