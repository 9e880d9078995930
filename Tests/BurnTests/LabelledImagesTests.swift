import Burn
import Execution
import Findings
import Support
import Tensors
import Testing
import TinyModels

@Suite struct LabelledImagesTests {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func model(classes: Int = 3, side: Int = 2, channels: Int = 3) throws -> GraphModel {
        try TinyGraph.linear(
            weight: Tensor.zeros([classes, channels * side * side]), bias: Tensor.zeros([classes]),
            channels: channels, side: side)
    }

    /// Three images of three classes.
    private func images(
        channels: Int = 3, options: JobOptions = JobOptions(), side: Int = 2, classes: Int = 3
    )
        throws -> LabelledImages
    {
        let set = try TinyImages.noise(6, side: 2, channels: channels, classes: 3, seed: 1)
            .packed(in: folder.file("set"))
        return try LabelledImages(set, for: model(classes: classes, side: side).graph, options: options)
    }

    private func problem(_ body: () throws -> some Any) throws -> Problem {
        try #require(#expect(throws: Problem.self) { _ = try body() })
    }

    @Test func labelsAreTheSortedNamesUnlessMapped() throws {
        let plain = try images(classes: 5)
        #expect(plain.labels == [0, 1, 2, 0, 1, 2] && plain.classes == 5)
        #expect(plain.classNames == ["class-0", "class-1", "class-2", "3", "4"])
        let mapping = ["class-0": 4, "class-1": 0, "class-2": 2]
        let mapped = try LabelledImages(
            plain.dataset, for: model(classes: 5).graph, options: JobOptions(classes: mapping))
        #expect(mapped.labels == [4, 0, 2, 4, 0, 2])
        #expect(mapped.classNames == ["class-1", "1", "class-2", "3", "class-0"])
        #expect(try mapped.labels([5, 0]).array(as: Int.self) == [2, 4])
    }

    @Test(arguments: [
        ["class-0": 0, "class-1": 1], ["class-0": 0, "class-1": 1, "class-2": 3],
        ["class-0": 0, "class-1": 1, "class-2": -1], ["class-0": 0, "class-1": 1, "class-2": 1], [:],
    ])
    func anInvalidMappingIsRefused(mapping: [String: Int]) throws {
        let problem = try problem { try images(options: JobOptions(classes: mapping)) }
        #expect(problem.code == "class-mapping-invalid" && problem.category == .unprocessable)
        #expect(problem.location?.hasPrefix("options.classes") == true)
    }

    @Test func moreClassesThanOutputsAreRefused() throws {
        let problem = try problem { try images(classes: 2) }
        #expect(problem.code == "dataset-classes-mismatch")
        #expect(problem.detail == "The data set has 3 classes, the model 2 outputs.")
    }

    @Test(arguments: [(3, 4), (1, 2)])
    func imagesOfAnotherShapeAreRefused(channels: Int, side: Int) throws {
        let problem = try problem { try images(channels: channels, side: side) }
        #expect(problem.code == "dataset-shape-mismatch" && problem.category == .unprocessable)
        #expect(problem.detail.contains("3 x \(side) x \(side)"))
        #expect(problem.detail.contains("\(channels) x 2 x 2"))
    }

    @Test(arguments: [
        InputScaling(), InputScaling(range: [-1, 1]), InputScaling(range: [0, 255]),
        InputScaling(mean: [0.5], std: [0.25]),
        InputScaling(mean: [0.49, 0.48, 0.45], std: [0.25, 0.24, 0.26]),
        InputScaling(range: [-1, 3], mean: [0.1, 0.2, 0.3], std: [2]),
    ])
    func valuesAreScaledByTheFormula(scaling: InputScaling) throws {
        let images = try images(options: JobOptions(input: scaling))
        let batch = try images.batch([4, 1])
        #expect(batch.shape == [2, 3, 2, 2])
        func perChannel(_ values: [Double], _ channel: Int, _ otherwise: Double) -> Double {
            values.isEmpty ? otherwise : values.count == 1 ? values[0] : values[channel]
        }
        func scaled(_ byte: Double, _ channel: Int) -> Double {
            let x = scaling.range[0] + byte / 255 * (scaling.range[1] - scaling.range[0])
            return (x - perChannel(scaling.mean, channel, 0)) / perChannel(scaling.std, channel, 1)
        }
        let found: [Float] = try batch.permute([0, 2, 3, 1]).contiguous().array()
        let tolerance = 1e-6 * (scaling.range[1] - scaling.range[0]) * 10
        for (position, sample) in [4, 1].enumerated() {
            images.dataset.withImage(at: sample) { bytes in
                for (offset, byte) in bytes.enumerated() {
                    let expected = scaled(Double(byte), offset % 3)
                    #expect(abs(Double(found[position * 12 + offset]) - expected) < tolerance)
                }
            }
        }
        let lowest: [Float] = try images.lowest.array()
        let highest: [Float] = try images.highest.array()
        for channel in 0..<3 {
            #expect(abs(Double(lowest[channel]) - scaled(0, channel)) < tolerance)
            #expect(abs(Double(highest[channel]) - scaled(255, channel)) < tolerance)
        }
    }

    @Test(arguments: [
        InputScaling(range: [0]), InputScaling(range: [1, 0]), InputScaling(range: [0, 0]),
        InputScaling(range: [0, .infinity]), InputScaling(range: [0, 1e300]), InputScaling(range: [.nan, 1]),
        InputScaling(mean: [0.5, 0.5]), InputScaling(mean: [.infinity]), InputScaling(mean: [0, 0, .nan]),
        InputScaling(std: [0]), InputScaling(std: [-1]), InputScaling(std: [1, 1, 1e-9]),
        InputScaling(std: [.infinity]), InputScaling(std: [1, 1, 1, 1]),
    ])
    func invalidScalingIsRefused(scaling: InputScaling) throws {
        let problem = try problem { try images(options: JobOptions(input: scaling)) }
        #expect(problem.code == "input-scaling-invalid" && problem.category == .unprocessable)
        #expect(problem.location?.hasPrefix("options.input") == true)
    }

    @Test func indicesOutOfRangeThrow() throws {
        let images = try images()
        #expect(throws: TensorError.self) { try images.batch([0, 6]) }
        #expect(throws: TensorError.self) { try images.batch([-1]) }
    }

    @Test func largeImagesAreLookedAtInSmallerParts() throws {
        let small = try images()
        #expect(small.parts(of: Array(0..<600)).map(\.count) == [256, 256, 88])
        #expect(small.parts(of: [4, 1, 3], atMost: 2) == [[4, 1], [3]])
        #expect(small.parts(of: []).isEmpty)
        let side = 224
        let set = try TinyImages.noise(1, side: side, channels: 3, classes: 1, seed: 1)
            .packed(in: folder.file("large"))
        let large = try LabelledImages(
            set, for: model(classes: 1, side: side).graph, options: JobOptions())
        #expect(large.batches.together(atMost: 256) == 16)
        #expect(large.batches.together(atMost: 8) == 8)
        let order = Array((0..<40).reversed())
        #expect(large.parts(of: order).flatMap { $0 } == order)
    }
}
