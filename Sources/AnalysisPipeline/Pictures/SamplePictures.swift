import Burn
import Execution
import ImageCodecs
import PackedDataset
import Support
import Tensors
import WorkerProtocol

/// Pictures of samples for people to look at: as they are, what carries them over the boundary, and where they
/// are then. Made by the descent whose direction and class the analysis keeps.
public struct SamplePictures {
    let model: GraphModel
    let images: LabelledImages
    let token: CancellationToken

    /// Samples that go through the model together.
    private static let batch = 16

    public init(model: GraphModel, images: LabelledImages, token: CancellationToken) {
        self.model = model
        self.images = images
        self.token = token
    }

    /// Writes the files that `RenderedSample` names into `directory`.
    /// - Parameter samples: indices of the data set.
    public func write(_ samples: [Int], to directory: String) throws -> [RenderedSample] {
        var rendered: [RenderedSample] = []
        for start in stride(from: 0, to: samples.count, by: Self.batch) {
            let part = Array(samples[start..<min(start + Self.batch, samples.count)])
            let batch = try images.batch(part)
            let predicted: [Int] = try model.forward(batch, mode: .inference, token: token).argmax(1).array()
            let descent = BoundaryDescent.unbiased(model: model, images: images, token: token)
            let found = try descent.run(batch, predicted: predicted)
            let pictures = Pictures(images)
            for (row, sample) in part.enumerated() {
                let original = try batch.narrow(0, row, 1)
                let change = try found.perturbations.narrow(0, row, 1)
                let amplified = try pictures.amplified(change)
                let views: [(SampleView, [UInt8])] = [
                    (.original, try pictures.pixels(original)), (.perturbation, amplified.pixels),
                    (.adversarial, try pictures.pixels(original + change)),
                ]
                for (view, pixels) in views {
                    try pictures.write(pixels, to: directory + "/" + RenderedSample.file(sample, view))
                }
                rendered.append(
                    RenderedSample(
                        index: sample, amplification: amplified.factor,
                        adversarialLabel: found.adversarialLabels[row]))
            }
        }
        return rendered
    }
}

/// Turns inputs of a model, and changes of them, into pictures.
struct Pictures {
    let images: LabelledImages

    /// Not beyond: what is so small that it needs more is nothing.
    private static let mostAmplified = 1000.0

    init(_ images: LabelledImages) { self.images = images }

    /// An input (1, C, H, W) as H x W x C bytes.
    func pixels(_ input: Tensor) throws -> [UInt8] {
        let span = try images.highest - images.lowest
        return try bytes((input - images.lowest) / span * 255)
    }

    /// A change (1, C, H, W), around mid-grey, as large as it can be shown.
    func amplified(_ change: Tensor) throws -> (pixels: [UInt8], factor: Double) {
        let span = try images.highest - images.lowest
        let inPixels = try change / span * 255
        let largest = try Double(inPixels.abs().amax().item(as: Float.self))
        let factor = largest > 0 ? min(Self.mostAmplified, 127 / largest) : 1
        return (try bytes(inPixels * factor + 128), factor)
    }

    func write(_ pixels: [UInt8], to path: String) throws {
        let set = images.dataset
        let encoded = try PNGEncoder.encode(
            pixels, height: set.height, width: set.width, channels: set.channels)
        try DurableFile.write(encoded, to: path)
    }

    private func bytes(_ values: Tensor) throws -> [UInt8] {
        try values.round().clamp(0, 255).to(.uint8).permute([0, 2, 3, 1]).contiguous().bytes()
    }
}
