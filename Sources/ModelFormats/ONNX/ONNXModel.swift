import Containers
import Graph
import Support
import SwiftProtobuf

/// Bounds on an ONNX file.
public struct ONNXLimits: Hashable, Sendable {
    /// Bytes of the graph's description, without the large weights.
    public var maximumDescriptionBytes: Int
    public var maximumWeightBytes: Int
    public var maximumWeights: Int
    public var graph: GraphLimits

    public init(
        maximumDescriptionBytes: Int = 32 << 20, maximumWeightBytes: Int = 8 << 30,
        maximumWeights: Int = 32_768,
        graph: GraphLimits = GraphLimits()
    ) {
        self.maximumDescriptionBytes = maximumDescriptionBytes
        self.maximumWeightBytes = maximumWeightBytes
        self.maximumWeights = maximumWeights
        self.graph = graph
    }
}

/// An ONNX classifier, translated into ATen operators. Nothing in the file is executed.
public struct ONNXModel: Sendable {
    public struct Weight: Sendable {
        /// Where it lies; of a literal the type and shape only.
        public var location: WeightLocation
        /// The elements of what is not kept in the file byte by byte: it cannot be changed.
        public var literal: [UInt8]?
        /// What its whole numbers stand for.
        var quantisation: Quantisation?
    }

    /// Operator set versions that are read.
    public static let opsets = 11...28

    /// To be simplified and checked, as any graph that was read.
    public let graph: Graph
    /// Which of several outputs is the logits.
    public let outputName: String?
    /// What the model takes; the graph takes float32, whatever that is.
    public let imageType: ScalarType
    /// By the value that it feeds.
    public let weights: [Graph.ValueID: Weight]
    /// The files beside the model that its tensors lie in, by their path relative to the model's folder.
    public let externalFiles: Set<String>
    /// How often each ONNX operator occurs.
    public let operators: [String: Int]
    /// Free texts by their key (`metadata_props`).
    public let metadata: [String: String]

    /// - Parameters:
    ///   - range: where the model lies in the file.
    ///   - files: those that hold weights beside it, in the same file.
    ///   - output: the name or number of the logits, of several outputs.
    ///   - images: the size of the images, where the model leaves it open.
    /// - Throws: `Problem` (`onnx-…`, `model-…`) that names the node or tensor.
    public init(
        _ file: RandomAccessFile, range: Range<Int>, files: ONNXFiles = ONNXFiles([:]), output: String? = nil,
        images: ImageSize? = nil, limits: ONNXLimits = ONNXLimits()
    ) throws {
        let scanner = try WireScanner(file, range: range, limit: limits.maximumDescriptionBytes)
        let model: Onnx_ModelProto
        do {
            model = try Onnx_ModelProto(serializedBytes: scanner.skeleton)
        } catch {
            throw ONNXFault.damaged.problem("Not a protocol buffer of ONNX: \(error).")
        }
        let opset = try Self.opset(model)
        guard model.graph.node.count <= limits.graph.maximumNodes else {
            throw ONNXFault.tooLarge.problem("It has \(model.graph.node.count) nodes.")
        }
        guard model.graph.initializer.count <= limits.maximumWeights else {
            throw ONNXFault.tooLarge.problem("It has \(model.graph.initializer.count) initializers.")
        }
        guard model.graph.sparseInitializer.isEmpty else {
            throw ONNXFault.weights.problem("It has sparse initializers, which are not supported.")
        }
        externalFiles = try Self.externalFiles(model, files)
        var translator = try ONNXTranslator(
            model.graph, scanner, file, files: files, opset: opset, images: images, limits: limits)
        try translator.translate()
        (graph, outputName) = try translator.finished(output)
        weights = translator.weights
        imageType = translator.imageType
        metadata = scanner.metadata
        operators = Dictionary(model.graph.node.map { ($0.opType, 1) }, uniquingKeysWith: +)
        var total = 0
        for weight in weights.values {
            guard let sum = Checked.sum(total, weight.location.byteCount), sum <= limits.maximumWeightBytes
            else {
                throw ONNXFault.tooLarge.problem(
                    "Its weights have more than \(limits.maximumWeightBytes) bytes.")
            }
            total = sum
        }
    }

    /// A constant may lie in another file as well as an initializer; who else names one would have its reader open it.
    /// - Throws: `Problem` `onnx-external-data` for a constant in a file that is not there.
    private static func externalFiles(_ model: Onnx_ModelProto, _ files: ONNXFiles) throws -> Set<String> {
        var tensors = model.graph.initializer.filter { !$0.externalData.isEmpty }
        for node in model.graph.node {
            for attribute in node.attribute
            where attribute.hasT && (attribute.t.dataLocation != 0 || !attribute.t.externalData.isEmpty) {
                _ = try files.place(attribute.t, tensor: attribute.name)
                tensors.append(attribute.t)
            }
        }
        return Set(
            tensors.flatMap(\.externalData).filter { $0.key == "location" }.compactMap {
                ONNXFiles.normal($0.value)
            })
    }

    private static func opset(_ model: Onnx_ModelProto) throws -> Int {
        guard model.hasGraph else { throw ONNXFault.damaged.problem("It holds no graph.") }
        let versions = model.opsetImport.filter { $0.domain.isEmpty || $0.domain == "ai.onnx" }.map {
            Int(widened: $0.version)
        }
        guard let version = versions.first, versions.count == 1, opsets.contains(version) else {
            throw ONNXFault.version.problem(
                "Its operator set is \(versions), and \(opsets.lowerBound) to \(opsets.upperBound) are supported."
            )
        }
        return version
    }
}
