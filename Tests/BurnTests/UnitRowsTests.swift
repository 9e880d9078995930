import Findings
import Tensors
import Testing

@testable import Burn

/// What follows from rows' inner products is what the rows themselves give.
@Suite struct UnitRowsTests {
    private func rows(_ count: Int, width: Int) throws -> Tensor {
        let drawn = try Tensor.randn([count, width], generator: Generator(seed: 2))
        return try (drawn * Tensor((0..<width).map { $0 == 0 ? 3 : 1 as Float })).unitRows()
    }

    @Test(arguments: [(40, 6), (6, 40)]) func cosinesAreThoseOfTheRows(count: Int, width: Int) throws {
        let rows = try rows(count, width: width)
        let members = [0, 2, 5]
        let sum = try rows.rows(members).sum([0])
        let products = try rows.matmul(rows.transpose())
        for way in [UnitRows(rows), UnitRows(rows, products: products)] {
            let (norm, cosines) = try way.cosines(toSumOf: members)
            #expect(abs(norm - Double(try sum.norm().item(as: Float.self))) < 1e-5)
            #expect(try (cosines - rows.matmul(sum) / norm).abs().amax().item(as: Float.self) < 1e-5)
            #expect(try (way.sum(of: members) - sum).abs().amax().item(as: Float.self) < 1e-6)
        }
    }

    @Test(arguments: [(40, 6), (6, 40)]) func theTopIsTheLargestEigenvectors(count: Int, width: Int) throws {
        let rows = try rows(count, width: width)
        let products = try rows.matmul(rows.transpose())
        let top = try UnitRows.top(of: products, iterations: 100, generator: Generator(seed: 3))
        let exact = try rows.transpose().matmul(rows).symmetricEigen()
        let largest: Double = try exact.values.select(0, width - 1).item()
        #expect(abs(top.eigenvalue - largest) < 1e-3 * largest)
        let expected = try rows.matmul(exact.vectors.select(1, width - 1))
        let sign = try expected.sum().item(as: Double.self) < 0 ? -1.0 : 1
        #expect(try (top.projections - expected * sign).abs().amax().item(as: Float.self) < 0.01)
        #expect(try top.projections.sum().item(as: Double.self) >= 0)
        let none = try UnitRows.top(
            of: products * 0.0, iterations: 100, generator: Generator(seed: 3))
        #expect(try none.eigenvalue == 0 && none.projections.abs().amax().item(as: Float.self) == 0)
    }

    /// One direction among random ones is found, whose rows are told from the others.
    @Test func aBundleIsFoundAndItsDirectionWithIt() throws {
        let generator = try Generator(seed: 4)
        let direction = try Tensor.randn([1, 64], generator: generator).unitRows()
        let noise = try Tensor.randn([200, 64], generator: generator).unitRows()
        let pulled = try noise.rows(0..<30) * 0.6 + direction * 0.8
        let rows = try Tensor.cat([pulled, noise.rows(30..<200)]).unitRows()
        let found = try CoherentCluster.strongest(in: rows, Parameters(), generator: generator)
        #expect(Set(found.rows).symmetricDifference(Set(0..<30)).count <= 2)
        #expect(try (found.direction * direction).sum().item(as: Float.self) > 0.95)
        #expect(found.isDistinct(Parameters()))
        let share = try #require(found.topShare)
        let values = try rows.transpose().matmul(rows).symmetricEigen().values
        let exact = try values.select(0, 63).item(as: Double.self) / 200
        #expect(abs(share - exact) < 1e-3 * exact && found.strength.share == share)
    }
}
