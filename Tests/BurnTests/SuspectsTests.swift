import Testing
import TinyModels

@testable import Burn

/// How many of a suspicious class are descended from, by what the first of them show.
extension DetectionTests {
    private struct Suspects {
        var flagged: [Bool]
        /// Members of the target class, and those of them that were descended from.
        var members: Int
        var analysed: Int
        /// Share of the planted samples that are flagged.
        var hits: Double
    }

    private func suspects(
        asking few: Int, poorlyParted more: Int? = nil, stamp: (inout TinyImages, Int) -> Void
    ) throws -> Suspects {
        let found = try detect(
            poisonEvery: 9, analysedOfSuspects: few, analysedOfPoorlyParted: more, stamp: stamp)
        let flagged = found.detection.flagged
        let members = found.predictions.indices.filter { found.predictions[$0] == Self.target }
        return Suspects(
            flagged: flagged, members: members.count,
            analysed: members.count { found.table.isAnalysed($0) },
            hits: Double(found.poisoned.count { flagged[$0] }) / Double(found.poisoned.count))
    }

    @Test func fewAreEnoughWhereTheyLeaveTheGroupsAsTheyWere() throws {
        let (few, all) = try (
            suspects(asking: 20) { $0.stamp($1) }, suspects(asking: .max) { $0.stamp($1) }
        )
        #expect(few.analysed < few.members / 2 && all.analysed == all.members)
        #expect(few.flagged == all.flagged && few.hits == 1)
    }

    /// Of a large class whose groups are poorly parted more are asked, and then those that stand no further inside than these show.
    @Test func theDoubtfulAreAskedWhereSomeOfALargeClassBelongToTheOtherGroup() throws {
        let (few, all) = try (
            suspects(asking: 20, poorlyParted: 120) { $0.stamp($1, size: 2) },
            suspects(asking: .max) { $0.stamp($1, size: 2) }
        )
        #expect(few.analysed >= 120 && few.analysed < few.members)
        let different = zip(few.flagged, all.flagged).count { $0 != $1 }
        #expect(different <= few.members / 50, "\(different) of \(few.members)")
        #expect(few.hits > 0.95)
    }

    @Test func allAreAskedWhereSomeBelongToTheOtherGroup() throws {
        let (few, all) = try (
            suspects(asking: 20) { $0.stamp($1, size: 2) }, suspects(asking: .max) { $0.stamp($1, size: 2) }
        )
        #expect(few.analysed == few.members)
        #expect(few.flagged == all.flagged && few.hits > 0.95)
    }
}
