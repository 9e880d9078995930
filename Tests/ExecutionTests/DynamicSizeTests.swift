import Execution
import Findings
import Foundation
import ModelFormats
import Support
import Tensors
import Testing

/// Models that leave height and width open, at the size of the images that they are given: as PyTorch computes them.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["BURN_PYTHON"] != nil, "no PyTorch: set BURN_PYTHON"))
struct DynamicSizeTests {
    private static let made = Result { try CaseTests.fixture("dynamic_sizes") }

    private let folder: URL
    private let answers: [String: [Float]]

    init() throws { (folder, answers) = try CaseTests.answers(of: Self.made) }

    private func open(_ name: String, _ images: ImageSize? = nil) throws -> ModelFile {
        try openModel(at: folder.appending(path: name).path, images: images)
    }

    private static let files = [
        "pooled-open.pt2", "pooled-auto.pt2", "pooled-new.onnx", "pooled-old.onnx", "viewed-open.pt2",
        "viewed-auto.pt2", "viewed-new.onnx", "viewed-old.onnx", "scaled-open.pt2", "scaled-auto.pt2",
        "scaled-new.onnx", "scaled-old.onnx", "attending-open.pt2", "attending-auto.pt2", "last-open.pt2",
    ]

    @Test(arguments: files) func anySizeIsTakenFromTheImages(name: String) throws {
        let stem = String(name.prefix { $0 != "-" })
        for size in [ImageSize(height: 24, width: 40), ImageSize(height: 33, width: 17)] {
            let file = try open(name, size)
            #expect(file.graph.imageShape == [nil, 3, size.height, size.width])
            let images = try Tensor(
                #require(answers["images-\(size)"]), shape: [2, 3, size.height, size.width])
            let expected = try Tensor(#require(answers["\(stem)-\(size)"]), shape: [2, 5])
            let (logits, gradient) = try CaseTests.model(file).inputGradient(images) {
                try $0.logSumExp([1]).sum()
            }
            #expect(try distance(logits, expected) < 1e-4, "\(name) at \(size)")
            #expect(gradient.shape == images.shape)
            #expect(try file.copy(at: file.path).graph == file.graph)
        }
    }

    @Test(arguments: files) func withoutImagesTheModelIsTriedAndItsSidesAreOpen(name: String) throws {
        #expect(try open(name).summary.inputShape == [nil, 3, nil, nil])
    }

    @Test func multiplesAreHeldAgainstTheirFactor() throws {
        let file = try open("viewed-eights.pt2", ImageSize(height: 24, width: 40))
        let images = try Tensor(#require(answers["images-24x40"]), shape: [2, 3, 24, 40])
        let expected = try Tensor(#require(answers["viewed-24x40"]), shape: [2, 5])
        #expect(try distance(CaseTests.model(file).forward(images, mode: .inference), expected) < 1e-4)
        let problem = #expect(throws: Problem.self) {
            try open("viewed-eights.pt2", ImageSize(height: 33, width: 17))
        }
        #expect(problem?.code == "model-image-size")
        #expect(problem?.detail.contains("33x17") == true)
        #expect(problem?.detail.contains("has to be a multiple of 8 from 16 to 512, and is 33") == true)
        #expect(problem?.fix?.contains("--resize 224x224") == true, "\(String(describing: problem))")
    }

    @Test(arguments: [(24, 40), (600, 64)])
    func aSizeThatDoesNotFitIsNamedWithOneThatDoes(height: Int, width: Int) throws {
        let problem = #expect(throws: Problem.self) {
            try open("bounded-open.pt2", ImageSize(height: height, width: width))
        }
        #expect(problem?.code == "model-image-size")
        #expect(problem?.detail.contains("\(height)x\(width)") == true)
        let fix = try #require(problem?.fix)
        let named = try #require(fix.firstMatch(of: /--resize ([0-9]+)x([0-9]+)/))
        let size = ImageSize(height: try #require(Int(named.1)), width: try #require(Int(named.2)))
        #expect(try open("bounded-open.pt2", size).graph.imageShape[2] == size.height)
    }
}
