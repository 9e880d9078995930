import Findings
import Tensors
import Testing
import TinyModels

@testable import Burn

/// Bundles of directions among random ones.
@Suite struct CoherenceTests {
    static let count = 600
    static let width = 400

    /// Random unit rows; `planted` of them (from row 100 on) lean on one direction with this cosine.
    private func rows(planted: Int, cosine: Double, seed: UInt64) throws -> Tensor {
        let generator = try Generator(seed: seed)
        func unit(_ count: Int) throws -> Tensor {
            let rows = try Tensor.randn([count, Self.width], generator: generator)
            return try rows / rows.norm([1], keepDimensions: true)
        }
        let noise = try unit(Self.count)
        guard planted > 0 else { return noise }
        let common = try unit(1)
        let leaning =
            try common * cosine + noise.rows(100..<100 + planted) * (1 - cosine * cosine).squareRoot()
        return try Tensor.cat([
            noise.rows(0..<100), leaning / leaning.norm([1], keepDimensions: true),
            noise.rows(100 + planted..<Self.count),
        ])
    }

    private func coherence(_ rows: Tensor) throws -> ClassCoherence {
        let folder = try ScratchFolder()
        return try ClassCoherence(
            members: Array(0..<Self.count), store: store(rows, in: folder), parameters: Parameters(), seed: 1)
    }

    private func store(_ rows: Tensor, in folder: ScratchFolder) throws -> PerturbationStore {
        let store = try PerturbationStore(path: folder.file("p"), samples: Self.count, values: Self.width)
        try store.write(rows, of: Array(0..<rows.shape[0]))
        return store
    }

    @Test(arguments: [18, 60, 300])
    func aPlantedBundleIsFound(planted: Int) throws {
        let found = try coherence(rows(planted: planted, cosine: 0.7, seed: 4))
        let expected = Set(100..<100 + planted)
        #expect(expected.isSubset(of: found.cluster))
        #expect(found.cluster.count <= planted + 3)
        #expect(abs(found.tightness - 0.7) < 0.05)
        #expect(found.mixture.separation > Parameters().modeSeparation)
        let remainder = try #require(found.remainderStrength)
        #expect(remainder.tightness < found.tightness / 2)
        #expect(found.share > remainder.share)
        #expect(found.cosines.count == Self.count)
    }

    @Test(arguments: UInt64(1)...4)
    func noiseHoldsNoTighterBundleThanItsRemainder(seed: UInt64) throws {
        let found = try coherence(rows(planted: 0, cosine: 0, seed: seed))
        #expect(found.tightness < 0.35)
        // The difference stays within the deviation that the null is given at least.
        let remainder = try #require(found.remainderStrength)
        #expect(abs(found.tightness - remainder.tightness) < 0.15)
        #expect(abs(found.share - remainder.share) < 0.01)
    }

    /// Finished perturbations part the same two groups more sharply.
    @Test func theSameGroupsAreSharpened() throws {
        let first = try coherence(rows(planted: 60, cosine: 0.45, seed: 7))
        let folder = try ScratchFolder()
        let finished = try store(rows(planted: 60, cosine: 0.9, seed: 8), in: folder)
        for found in [first, first.turned] {
            let sharpened = try found.sharpened(
                by: finished, of: found.members, parameters: Parameters(), seed: 1)
            #expect(sharpened.isTurned == found.isTurned)
            let planted = sharpened.isTurned ? sharpened.remainder : sharpened.cluster
            #expect(planted == Array(100..<160))
            #expect(sharpened.mixture.separation > first.mixture.separation)
        }
    }

    /// Where some of the members show that a few stand in the wrong group, those as far from the groups' middle are looked at, and no
    /// others change sides.
    @Test func membersThatStandNoFurtherInsideThanThoseMovedAreSortedAgain() throws {
        let found = try coherence(rows(planted: 100, cosine: 0.5, seed: 11))
        let cosine = Dictionary(uniqueKeysWithValues: zip(found.members, found.cosines))
        let inside = found.cluster.sorted { cosine[$0, default: 0] < cosine[$1, default: 0] }
        let outside = found.remainder.sorted { cosine[$0, default: 0] > cosine[$1, default: 0] }
        // Of a part of them, the tenth of one group and the fifth of the other have changed sides.
        var other = found.restricted(
            to: inside.dropFirst(9).filter { $0 % 2 == inside[9] % 2 } + outside.dropFirst(4).prefix(80))
        #expect(found.members(movedBy: other).isEmpty && found.members(noFurtherThan: []).isEmpty)
        other.cluster = other.cluster.filter { $0 != inside[9] } + [outside[4]]
        let moved = found.members(movedBy: other)
        #expect(Set(moved) == [inside[9], outside[4]])
        let doubtful = found.members(noFurtherThan: moved)
        #expect(Set(doubtful) == Set(inside.prefix(10) + outside.prefix(5)))

        let turned = found.turned.sorted(as: found.turned.turned, doubtful)
        #expect(
            Set(turned.cluster)
                == Set(found.remainder).subtracting(outside.prefix(5)).union(inside.prefix(10)))
        #expect(turned.members == found.members)
    }

    /// Another bundle among the finished ones, however strong, is not what was found.
    @Test func anotherBundleDoesNotTakeThePlaceOfTheOneFound() throws {
        let first = try coherence(rows(planted: 60, cosine: 0.6, seed: 9))
        let folder = try ScratchFolder()
        let other = try rows(planted: 60, cosine: 0.9, seed: 10)
        // The rows after those that were found in place of them.
        let finished = try store(
            Tensor.cat([
                other.rows(200..<360), other.rows(100..<160), other.rows(0..<100), other.rows(360..<600),
                other.rows(160..<200),
            ]), in: folder)
        let sharpened = try first.sharpened(
            by: finished, of: first.members, parameters: Parameters(), seed: 1)
        #expect(sharpened.cluster == first.cluster && !sharpened.isTurned)
        #expect(try first.agreement(with: coherence(rows(planted: 60, cosine: 0.6, seed: 9)).cluster) == 1)
        #expect(abs(first.agreement(with: first.remainder) + 1) < 1e-9)
    }
}
