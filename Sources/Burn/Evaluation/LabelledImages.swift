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
    public let lowest: Tensor
    public let highest: Tensor
    private let scale: Float
    private let mean: [Float]
    private let std: [Float]

    public var count: Int { dataset.count }

    /// Output index to class name; outputs without a class have the name that the model gives them, or their number.
    public var classNames: [String] { order.names }

    /// Throws a `Problem` where the images do not fit the model's input, or the classes its outputs.
    /// - Parameter modelNames: what the model's file calls its outputs.
    public init(
        _ set: PackedDataset, for graph: Graph, options: JobOptions, modelNames: [String]? = nil
    ) throws {
        try Self.checkShape(set, graph.imageShape)
        order = try Self.order(of: set.summary.classes, graph.classes, options.classes, modelNames)
        let scaling = try Self.checked(options.input, channels: set.channels)
        dataset = set
        let outputs = order.outputs
        labels = set.labels.map { outputs[Int($0)] }
        classes = graph.classes
        scale = scaling.scale
        mean = scaling.mean
        std = scaling.std
        let bounds = [Float(options.input.range[0]), Float(options.input.range[1])].map { bound in
            zip(scaling.mean, scaling.std).map { mean, std in
                (bound - Float(options.input.range[0]) - mean) / std
            }
        }
        lowest = try Tensor(zip(bounds[0], bounds[1]).map(min), shape: [1, set.channels, 1, 1])
        highest = try Tensor(zip(bounds[0], bounds[1]).map(max), shape: [1, set.channels, 1, 1])
    }

    /// Samples by index: (indices.count, C, H, W), channels_last.
    public func batch(_ indices: [Int]) throws -> Tensor {
        try Tensor.images(
            dataset.images, count: dataset.count, height: dataset.height, width: dataset.width,
            channels: dataset.channels,
            indices: indices, scale: scale, mean: mean, std: std)
    }

    /// How many images may be looked at together: at most `most`, fewer of large ones, since what a network keeps of them
    /// grows with their values.
    public func batchSize(atMost most: Int) -> Int {
        let values = max(1, dataset.channels * dataset.height * dataset.width)
        return min(most, max(Self.fewestTogether, Self.valuesTogether / values))
    }

    private static let valuesTogether = 1 << 21
    /// Fewer keep no processor busy.
    private static let fewestTogether = 16

    /// `samples` in order, in parts that may be looked at together.
    public func parts(of samples: [Int], atMost most: Int = 256) -> [[Int]] {
        let size = batchSize(atMost: most)
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

    private static func checked(
        _ input: InputScaling, channels: Int
    ) throws -> (scale: Float, mean: [Float], std: [Float]) {
        func perChannel(_ values: [Double], _ name: String, otherwise: Double) throws -> [Double] {
            if values.isEmpty { return Array(repeating: otherwise, count: channels) }
            if values.count == 1 { return Array(repeating: values[0], count: channels) }
            guard values.count == channels else {
                throw Problem(
                    .unprocessable, code: "input-scaling-invalid", title: "The input scaling is invalid",
                    detail: "\(values.count) values for \(channels) channels",
                    location: "options.input.\(name)",
                    fix: "give one number, or one for each channel")
            }
            return values
        }
        let mean = try perChannel(input.mean, "mean", otherwise: 0)
        let std = try perChannel(input.std, "std", otherwise: 1)
        let range = input.range
        // Far below what float32 holds, so that no sum or quotient of them overflows.
        guard range.count == 2, (range + mean + std).allSatisfy({ abs($0) < 1e12 }), range[0] < range[1],
            std.allSatisfy({ $0 > 1e-6 })
        else {
            throw Problem(
                .unprocessable, code: "input-scaling-invalid", title: "The input scaling is invalid",
                detail: "range must be [low, high] with low < high, std above 0, and all of them below 1e12",
                location: "options.input")
        }
        return (Float((range[1] - range[0]) / 255), mean.map { Float($0 - range[0]) }, std.map { Float($0) })
    }
}
