import Support
import Tensors
import Testing

@testable import Burn

/// Held against sums over all classes.
@Suite struct ClassOpinionTests {
    private static func dense(_ opinion: ClassOpinion, _ classes: Int) -> [Float] {
        var values = [Float](repeating: 0, count: classes)
        opinion.forEach { label, share in values[label] = share }
        return values
    }

    private static func random(_ classes: Int, using random: inout SplitMix64) -> [Float] {
        (0..<classes).map { _ in
            Float.random(in: 0...1, using: &random) < 0.4 ? 0 : .random(in: 0...1, using: &random)
        }
    }

    @Test func fewClassesAreAllKept() {
        var random = SplitMix64(seed: 2)
        for classes in [2, 7, 32] {
            let (one, other) = (Self.random(classes, using: &random), Self.random(classes, using: &random))
            let sum = ClassOpinion(one) + ClassOpinion(other)
            #expect(Self.dense(sum, classes) == zip(one, other).map { $0 + $1 })
            let factors = Self.random(classes, using: &random)
            let weighted = zip(Self.dense(sum, classes), factors).map { $0 * $1 }
            let total = weighted.reduce(0, +)
            if total > 0 {
                #expect(Self.dense(sum.weighted(by: factors), classes) == weighted.map { $0 / total })
            }
        }
    }

    @Test func ofManyClassesThoseThatCountMostAreKept() {
        var random = SplitMix64(seed: 5)
        let votes = (0..<500).map { _ in Float.random(in: 0...1, using: &random) }
        let opinion = ClassOpinion(votes)
        let largest = votes.indices.sorted { votes[$0] > votes[$1] }.prefix(32)
        let kept = Self.dense(opinion, 500)
        #expect(kept.indices.filter { kept[$0] > 0 } == largest.sorted())
        #expect(opinion.best == largest.first)
        #expect(opinion.largest == votes.max())
        // A sum keeps as few.
        let sum = opinion + ClassOpinion((0..<500).map { _ in Float.random(in: 0...1, using: &random) })
        #expect(Self.dense(sum, 500).count { $0 > 0 } == 32)
    }

    @Test func theAttackersClassIsLeftOutBeforeSharesAreTaken() {
        let opinion = ClassOpinion(apartFrom: 1, [0.1, 0.6, 0.3] as [Float])
        #expect(opinion.best == 2)
        #expect(abs(opinion.share(of: 0) - 0.25) < 1e-6 && opinion.share(of: 1) == 0)
        #expect(abs(opinion.share(of: 2) - 0.75) < 1e-6)
    }

    @Test func theFirstOfEqualClassesIsTheBest() {
        #expect(ClassOpinion([0, 0.5, 0.5] as [Float]).best == 1)
        #expect(ClassOpinion().best == nil)
    }

    @Test func rowsAreDistributions() throws {
        let labels = SoftLabels(
            opinions: [ClassOpinion([0, 3, 1] as [Float]), ClassOpinion(), ClassOpinion(certain: 2)],
            classes: 3)
        let rows: [Float] = try labels.rows([2, 0, 1, 0]).array()
        let third: Float = 1 / 3
        #expect(rows == [0, 0, 1, 0, 0.75, 0.25, third, third, third, 0, 0.75, 0.25])
    }
}
