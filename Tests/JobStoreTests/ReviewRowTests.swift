import Findings
import Foundation
import GRDB
import Support
import Testing

@testable import JobStore

@Suite struct ReviewRowTests {
    private func finished(_ test: TestStore, samples: Int = 5) async throws -> String {
        let attempt = try await test.runningJob()
        try test.store.record((0..<samples).map { TestStore.sample($0) }, by: attempt)
        try test.store.record(TestStore.verdict, by: attempt)
        try test.store.finish(attempt, .succeeded)
        return attempt.job
    }

    @Test func reviewsAreTakenAllOrNone() async throws {
        let test = try TestStore()
        let store = test.store
        let id = try await finished(test)
        let change = try await store.review(
            id,
            [
                ReviewEdit(index: 0, decision: .accept), ReviewEdit(index: 3, decision: .relabel, label: 1),
                ReviewEdit(index: 3, decision: .reject),
            ])
        #expect(change == ReviewChange(changed: 3, total: 2), "the last word on a sample counts")
        let before = try await store.reviews(of: id, limit: 10).items
        #expect(before.map(\.index) == [0, 3] && before.map(\.decision) == [.accept, .reject])
        let problem = await #expect(throws: Problem.self) {
            try await store.review(
                id, [ReviewEdit(index: 0, decision: nil), ReviewEdit(index: 5, decision: .accept)])
        }
        #expect(problem?.code == "review-sample-unknown" && problem?.location == "/items/1/index")
        #expect(try await store.reviews(of: id, limit: 10).items == before, "the first edit neither")
        #expect(
            try await store.review(
                id, [ReviewEdit(index: 0, decision: nil), ReviewEdit(index: 4, decision: nil)])
                == ReviewChange(changed: 2, total: 1))
    }

    @Test func pagesOfReviewsAreTheWholeAndTheirCursorsAreOfOneJob() async throws {
        let test = try TestStore()
        let store = test.store
        let id = try await finished(test, samples: 7)
        _ = try await store.review(id, (0..<7).map { ReviewEdit(index: $0, decision: .accept) })
        var found: [Int] = []
        var cursor: String?
        var pages = 0
        repeat {
            let page = try await store.reviews(of: id, limit: 3, cursor: cursor)
            found += page.items.map(\.index)
            cursor = page.nextCursor
            pages += 1
        } while cursor != nil && pages < 10
        #expect(found == Array(0..<7) && pages == 3)
        let first = try await store.reviews(of: id, limit: 3).nextCursor
        let other = try await finished(test)
        #expect(
            await problemCode { _ = try await store.reviews(of: other, limit: 3, cursor: first) }
                == "invalid-cursor")
    }

    /// Training that diverged gives no numbers; a repeated attempt gives the same points again.
    @Test func curvesHoldNumbersAloneAndEachPointOnce() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        func point(_ step: Int, _ value: Double) -> CurvePoint {
            CurvePoint(phase: .decoupling, name: "loss", step: step, value: value)
        }
        try test.store.record([point(2, 0.5), point(1, 1), point(3, .nan), point(4, .infinity)], by: attempt)
        try test.store.record([point(1, 1), point(2, 0.25)], by: attempt)
        try test.store.record([point(5, -.infinity)], by: attempt)
        let curves = try await test.store.curves(of: attempt.job)
        #expect(curves.map(\.name) == ["loss"])
        #expect(
            curves.first?.points.map(\.step) == [1, 2] && curves.first?.points.map(\.value) == [1, 0.25])
        let told = try await test.store.read { database in
            try Int.fetchOne(database, sql: "SELECT count(*) FROM events WHERE kind = 'curve'")
        }
        #expect(told == 3, "a point that says nothing new is no event")
    }
}
