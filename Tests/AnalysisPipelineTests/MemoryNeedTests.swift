import Burn
import Execution
import Findings
import Support
import Tensors
import Testing
import TinyModels

@testable import AnalysisPipeline

@Suite struct MemoryNeedTests {
    @Test func isTheSumOfItsPartsAndSaturates() throws {
        let need = MemoryNeed(weights: 100 << 20, copies: 4, activations: 3 << 20, together: 128)
        #expect(need.bytes == need.engine + (400 << 20) + (384 << 20))
        try need.require(within: need.bytes)
        #expect {
            try need.require(within: need.bytes - 1)
        } throws: {
            let problem = $0 as? Problem
            return problem?.code == "memory-insufficient" && problem?.detail.contains("944 MiB") == true
                && problem?.detail.contains("943 MiB") == true
        }
        #expect(MemoryNeed(weights: .max / 2, copies: 4, activations: .max, together: 9).bytes == .max)
    }

    /// Weights are counted from the model, activations from its layers, and a purification takes more than a scan.
    @Test func followsTheModelAndTheImages() throws {
        let folder = try ScratchFolder()
        let model = try TinyGraph.convolutional(side: 16, classes: 4, seed: 1)
        let drawn = TinyImages.textures(300, side: 16, seed: 2)
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions()
        ).measured(by: model)
        let scan = MemoryNeed(.scan, model, images, threads: 1)
        let values = model.parameters.reduce(0) { $0 + $1.count }
        #expect(scan.weights == 4 * values && scan.copies == 1)
        #expect(scan.activations == images.activationBytes && scan.activations > 16 * 16 * 4)
        #expect(scan.together == 128 && MemoryNeed(.scan, model, images, threads: 2).together == 256)
        #expect(MemoryNeed(.scan, model, images, threads: 64).together == 300, "no more than there are")
        let purification = MemoryNeed(.purify, model, images, threads: 1)
        #expect(purification.copies == 4 && purification.bytes > scan.bytes)
    }
}
