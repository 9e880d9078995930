import Execution
import Findings
import Tensors
import Testing
import TinyModels

@testable import Burn

/// Images whose bright half is the class.
@Suite struct MirroringTests {
    private static let side = 8

    /// Two classes: which half is bright, along the rows or along the columns.
    private func keepsMeaning(brightHalf isBright: (Int, Int) -> Bool) throws -> Bool {
        let folder = try ScratchFolder()
        var drawn = TinyImages(side: Self.side)
        var weight: [Float] = []
        for offset in 0..<3 * Self.side * Self.side {
            // Channel first, as the model sees it.
            let place = offset % (Self.side * Self.side)
            weight.append(isBright(place / Self.side, place % Self.side) ? 1 : -1)
        }
        for sample in 0..<40 {
            drawn.add(
                (0..<3 * Self.side * Self.side).map { offset in
                    let place = offset / 3
                    let bright = isBright(place / Self.side, place % Self.side) == (sample % 2 == 0)
                    return UInt8((bright ? 200 : 40) + sample % 7)
                }, label: sample % 2)
        }
        let model = try TinyGraph.linear(
            weight: Tensor(weight + weight.map { -$0 }, shape: [2, weight.count]), bias: Tensor.zeros([2]),
            channels: 3, side: Self.side)
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        let token = try CancellationToken()
        try #require(try model.predictions(images) == images.labels)
        return try Mirroring.keepsMeaning(model, images, Array(0..<images.count), token: token)
    }

    @Test func aClassThatIsAboveOrBelowMayBeMirrored() throws {
        #expect(try keepsMeaning { y, _ in y < Self.side / 2 })
    }

    @Test func aClassThatIsLeftOrRightMayNot() throws {
        #expect(try !keepsMeaning { _, x in x < Self.side / 2 })
    }
}
