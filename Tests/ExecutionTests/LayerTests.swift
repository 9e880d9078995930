import Execution
import Findings
import Foundation
import ModelFormats
import Support
import Tensors
import Testing

/// Layers of torch.nn that few classifiers use, as PyTorch computes them. docs/compatibility.md has the usual ones.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["BURN_PYTHON"] != nil, "no PyTorch: set BURN_PYTHON"))
struct LayerTests {
    private static let names = [
        "Softshrink", "Hardshrink", "ConvTranspose2d", "AvgPool1d", "MaxPool1d", "LocalResponseNorm",
        "ChannelShuffle", "Upsample nearest-exact", "interpolate antialias", "FeatureAlphaDropout",
        "CosineSimilarity", "bmm", "Fold", "unfold", "weight_norm", "weight_norm (old)", "spectral_norm",
        "topk",
        "sort", "var_mean", "std_mean", "median", "atan2", "lerp", "nan_to_num", "movedim",
        "reshape_as", "one_hot", "div mode", "scalar power", "RNN", "LSTM", "GRU", "InstanceNorm2d tracked",
        "PairwiseDistance", "cdist", "cdist of norm 1.5", "rot90", "diff", "cross", "kthvalue",
    ]
    private static let made = Result { try CaseTests.fixture("layers", LayerTests.names) }

    @Test(arguments: names.indices) func logitsAndGradientsArePyTorchs(number: Int) throws {
        let name = Self.names[number]
        let (folder, answers) = try CaseTests.answers(of: Self.made)
        let images = try Tensor(#require(answers["images"]), shape: [3, 3, 16, 16])
        let model = try CaseTests.model(openModel(at: folder.appending(path: "\(number).pt2").path))
        let (logits, gradient) = try model.inputGradient(images) { try $0.logSumExp([1]).sum() }
        let expected = try Tensor(#require(answers["\(number)"]), shape: [3, 10])
        let slope = try Tensor(#require(answers["\(number)-gradient"]), shape: images.shape)
        #expect(try distance(logits, expected) < 1e-4, "\(name)")
        #expect(try distance(gradient, slope) < 1e-4, "\(name)")
    }
}
