import Testing

@testable import Burn

/// Of a class of which only a part is trusted, what is trusted is drawn more often.
@Suite struct ClassBalanceTests {
    /// A hundred samples of each of three classes; of class 0, half are trusted and twenty are flagged.
    private let labels =
        Array(repeating: 0, count: 100) + Array(repeating: 1, count: 100) + Array(repeating: 2, count: 100)

    private func drawn(_ classes: Set<Int>, trusted: Int, flagged: Int = 20) -> [Int] {
        let pool = TrainingPool(
            clean: Array(0..<trusted) + Array(100..<300), holdout: [], poison: Array((100 - flagged)..<100))
        let drawn = pool.balanced(classes, labels: labels)
        #expect(Array(drawn.prefix(pool.clean.count)) == pool.clean)
        return Array(drawn.dropFirst(pool.clean.count))
    }

    @Test func aClassIsDrawnAsOftenAsTheOthers() {
        // 80 that are not flagged, of which 50 are trusted.
        let further = drawn([0], trusted: 50)
        #expect(further.count == 30 && Set(further).count == 30)
        #expect(further.min() == 0 && (further.max() ?? 0) >= 47, "from all of them")
        #expect(drawn([], trusted: 50).isEmpty)
        #expect(drawn([1], trusted: 50).isEmpty, "all of it is trusted")
    }

    @Test func butNoMoreThanTwice() {
        #expect(drawn([0], trusted: 10) == Array(0..<10))
        #expect(drawn([0], trusted: 70).isEmpty, "what is missing is little")
        #expect(drawn([0], trusted: 0).isEmpty)
        #expect(TrainingPool(clean: [], holdout: [], poison: []).balanced([0], labels: labels).isEmpty)
    }
}
