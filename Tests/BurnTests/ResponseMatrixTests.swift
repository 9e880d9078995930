import Testing

@testable import Burn

/// Readings of where images go, against counts by hand.
@Suite struct ResponseMatrixTests {
    /// 0 and 1 are sent to 2, but for one of 1; 2 stays; 3 goes to 0.
    private let matrix = ResponseMatrix(
        sources: [0, 0, 1, 1, 1, 2, 2, 3], destinations: [2, 2, 2, 2, 1, 2, 2, 0])

    @Test func ratesAreOfOtherClassesImages() {
        #expect(matrix.tested(into: 2) == 6 && matrix.tested(1) == 3 && matrix.tested(7) == 0)
        #expect(matrix.rate(into: 2) == 4.0 / 6)
        #expect(matrix.rate(into: 0) == 1.0 / 6)
        #expect(matrix.rate(from: 1, into: 2) == 2.0 / 3)
        #expect(matrix.rate(from: 7, into: 2) == 0)
        #expect(matrix.sources == [0, 1, 2, 3])
    }

    @Test func theTopSourceIsTheOneThatIsMovedMost() {
        #expect(matrix.topSource(into: 2, fewest: 1) == 0)
        #expect(matrix.topSource(into: 2, fewest: 3) == 1, "two images say little")
        #expect(matrix.topSource(into: 0, fewest: 1) == 3)
        #expect(matrix.topSource(into: 1, fewest: 1) == 0, "the first of those that are moved alike")
        #expect(matrix.topSource(into: 2, fewest: 4) == nil)
    }

    /// The most affected source, with what the random direction does to it.
    @Test func anEffectReadsBothMatrices() {
        let sources = (0..<40).map { $0 % 4 }
        let response = TriggerResponse(
            form: AffineValues.at(1),
            triggered: ResponseMatrix(sources: sources, destinations: sources.map { $0 == 3 ? 1 : $0 }),
            random: ResponseMatrix(
                sources: sources,
                destinations: sources.enumerated().map { $0 == 3 || $0 == 7 ? 1 : $1 }))
        let effect = response.effect(into: 1)
        #expect(effect.rate == 10.0 / 30 && effect.random == 2.0 / 30 && effect.tested == 30)
        #expect(effect.topSource == 3 && effect.topSourceRate == 1 && effect.topSourceRandom == 0.2)
        #expect(effect.sourceSpecific && effect.topSourceTested == 10)
        #expect(response.effect(into: 0).rate == 0)
    }
}
