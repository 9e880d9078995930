import Execution
import Findings
import Graph
import PackedDataset
import Support
import Tensors

/// A packed data set as a model sees it: scaled batches, and labels as indices of the model's outputs.
public struct LabelledImages: Sendable {
    public let dataset: PackedDataset
    /// One per sample.
    public let labels: [Int]
    /// Number of the model's outputs.
    public let classes: Int
    /// Which output each of the set's classes stands for.
    public let order: ClassOrder
    /// The lowest and highest values an input can take, per channel: (1, C, 1, 1).
    public var lowest: Tensor { scaling.lowest }
    public var highest: Tensor { scaling.highest }
    private var scaling: PixelScaling
    /// What a model makes of an image in one pass (`GraphModel.activationBytes`); 0 where that was not measured.
    package private(set) var activationBytes = 0

    public var count: Int { dataset.count }

    /// Channels, height and width of an image.
    package var shape: [Int] { [dataset.channels, dataset.height, dataset.width] }

    /// Output index to class name; outputs without a class have the name that the model gives them, or their number.
    public var classNames: [String] { order.names }

    /// Throws a `Problem` where the images do not fit the model's input, or the classes its outputs.
    /// - Parameter modelNames: what the model's file calls its outputs.
    public init(
        _ set: PackedDataset, for graph: Graph, options: JobOptions, modelNames: [String]? = nil
    ) throws {
        try Self.checkShape(set, graph.imageShape)
        order = try Self.order(of: set.summary.classes, graph.classes, options.classes, modelNames)
        scaling = try PixelScaling(options.input, channels: set.channels)
        dataset = set
        let outputs = order.outputs
        labels = set.labels.map { outputs[Int($0)] }
        classes = graph.classes
    }

    /// The same images and labels, scaled otherwise.
    public func scaled(_ input: InputScaling) throws -> LabelledImages {
        var images = self
        images.scaling = try PixelScaling(input, channels: dataset.channels)
        return images
    }

    /// Samples by index: (indices.count, C, H, W), channels_last.
    public func batch(_ indices: [Int]) throws -> Tensor {
        dataset.countReading(of: indices.count)
        return try Tensor.images(
            dataset.images, count: dataset.count, height: dataset.height, width: dataset.width,
            channels: dataset.channels,
            indices: indices, scale: scaling.scale, mean: scaling.mean, std: scaling.std)
    }

    /// The same for a model, whose layers say how many images may be looked at together.
    package func measured(by model: GraphModel) throws -> LabelledImages {
        guard count > 0 else { return self }
        var images = self
        // Some graphs take no batch of one.
        images.activationBytes = try model.activationBytes(of: batch([0, min(1, count - 1)]))
        return images
    }

    /// How many of them go through the model together.
    package var batches: BatchSizes {
        BatchSizes(
            count: count, values: dataset.channels * dataset.height * dataset.width,
            activationBytes: activationBytes)
    }

    /// `samples` in order, in parts that may be looked at together.
    public func parts(of samples: [Int], atMost most: Int = 256) -> [[Int]] {
        let size = batches.together(atMost: most)
        return stride(from: 0, to: samples.count, by: size).map {
            Array(samples[$0..<min($0 + size, samples.count)])
        }
    }

    /// Labels by index: (indices.count), int64.
    public func labels(_ indices: [Int]) throws -> Tensor { try Tensor(indices.map { labels[$0] }) }

    private static func checkShape(_ set: PackedDataset, _ shape: [Int?]) throws {
        let found = [set.channels, set.height, set.width]
        guard shape.count == 4, zip(shape.dropFirst(), found).allSatisfy({ $0 == nil || $0 == $1 }) else {
            let expected = shape.dropFirst().map { $0.map(String.init) ?? "any" }.joined(separator: " x ")
            throw Problem(
                .unprocessable, code: "dataset-shape-mismatch",
                title: "The images do not fit the model's input",
                detail: "the model takes \(expected) (channels x height x width), the data set holds "
                    + found.map(String.init).joined(separator: " x "),
                fix: "upload the images in the size and colour mode that the model was trained with")
        }
    }

    private static func order(
        of found: [DatasetSummary.ClassCount], _ classes: Int, _ mapping: [String: Int]?,
        _ modelNames: [String]?
    ) throws -> ClassOrder {
        do {
            return try ClassOrder(of: found, outputs: classes, mapping: mapping, modelNames: modelNames)
        } catch let fault as ClassOrder.Fault {
            let place = fault.className.map { "[\"\($0)\"]" } ?? ""
            throw Problem(
                .unprocessable,
                code: fault.isOfMapping ? "class-mapping-invalid" : "dataset-classes-mismatch",
                title: "The data set's classes do not fit the model's outputs", detail: fault.detail,
                location: fault.isOfMapping ? "options.classes" + place : nil, fix: fault.fix)
        }
    }
}
