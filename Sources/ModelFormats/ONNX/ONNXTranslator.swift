import Containers
import Graph
import Support

/// Translates an ONNX graph into ATen operators, node by node, with every shape known and the batch left open.
///
/// What exporters write to compute shapes is computed here and vanishes. A model that was exported for one image
/// is opened up to any number: each image's result stays what the model computes for it alone.
struct ONNXTranslator {
    indirect enum Value {
        case tensor(Graph.ValueID, ScalarType)
        /// Not yet an input of the graph.
        case stored(ONNXTensor, WeightRoles.Role)
        case known(KnownTensor)
        case row(RowIndex)
        /// What is computed, within the range of whole numbers that stand for it.
        case quantised(Graph.ValueID, Quantisation)
    }

    var builder: GraphBuilder
    private(set) var values: [String: Value] = [:]
    private(set) var weights: [Graph.ValueID: ONNXModel.Weight] = [:]
    private var inputs: [String: Graph.ValueID] = [:]
    private let proto: Onnx_GraphProto
    private let file: RandomAccessFile
    private let scanner: WireScanner
    private let limits: ONNXLimits
    private let files: ONNXFiles
    let opset: Int
    /// The batch size that the model was exported with; nil where it is open.
    let fixedBatch: Int?
    private let imageShape: [Int]
    let roles: WeightRoles
    /// What the model takes.
    let imageType: ScalarType
    /// Elements of constants that were computed with so far.
    private var computedElements = 0
    private static let maximumComputedElements = 1 << 22
    /// Inputs, and results, of one node.
    private static let maximumOperands = 4_096

    init(
        _ graph: Onnx_GraphProto, _ scanner: WireScanner, _ file: RandomAccessFile, files: ONNXFiles,
        opset: Int, images: ImageSize?, limits: ONNXLimits
    ) throws {
        proto = graph
        self.files = files
        self.file = file
        self.scanner = scanner
        self.opset = opset
        self.limits = limits
        builder = GraphBuilder(limits: limits.graph)
        roles = WeightRoles(graph)
        var stored: [String: Value] = [:]
        for (index, initializer) in graph.initializer.enumerated() {
            let tensor = try ONNXTensor(
                initializer, scanner.payloads[.initializer(index)], name: initializer.name,
                maximumRank: limits.graph.maximumRank, files: files)
            guard
                stored.updateValue(
                    .stored(tensor, tensor.type.isFloatingPoint ? roles[initializer.name] : .constant),
                    forKey: initializer.name)
                    == nil
            else {
                throw ONNXFault.weights.problem("“\(initializer.name.prefix(80))” is there twice.")
            }
        }
        let given = graph.input.filter { stored[$0.name] == nil }
        guard given.count == 1, let image = given.first else {
            throw ONNXFault.input.problem(
                "The model takes \(given.count) tensors, and not one batch of images.")
        }
        let read = try ONNXImage(image, size: images)
        fixedBatch = read.batch
        imageShape = read.sizes
        imageType = read.declared
        values = stored
        var value = try builder.input(
            image.name, .image, shape: [.batchSize] + read.sizes.map { Dimension($0) })
        if read.type == .uint8 {
            try read.requireConvertedFirst(image.name, graph)
            value = try builder.call(
                "aten::mul", "Scalar", [("self", .tensor(value)), ("other", .int(.known(255)))], name: "bytes"
            )[0]
        }
        if read.isChannelsLast {
            value = try builder.call(
                "aten::permute", "",
                [("self", .tensor(value)), ("dims", .ints([0, 2, 3, 1].map { .known($0) }))],
                name: "channels_last")[0]
        }
        values[image.name] = .tensor(value, read.type)
    }

    mutating func translate() throws {
        for (index, node) in proto.node.enumerated() {
            let call = ONNXCall(node, index: index, opset: opset)
            guard node.domain.isEmpty || node.domain == "ai.onnx" else {
                throw ONNXFault.operator.problem(
                    "“\(node.domain.prefix(80)).\(node.opType.prefix(80))” is no operator of ONNX itself.",
                    at: call.location)
            }
            guard node.input.count <= Self.maximumOperands, node.output.count <= Self.maximumOperands else {
                throw ONNXFault.tooLarge.problem(
                    "It has \(node.input.count) inputs and \(node.output.count) results; at most "
                        + "\(Self.maximumOperands) are allowed.", at: call.location)
            }
            let results: [Value?]
            do {
                results = try self.results(call)
            } catch var problem as Problem {
                if fixedBatch != nil, problem.code == GraphFault.shape.rawValue {
                    throw GraphFault.fixedBatch.problem(
                        "It was exported for a batch of \(fixedBatch ?? 0), and cannot be opened up to others: "
                            + "\(problem.detail) At \(call.location).",
                        fix: ONNXFault.input.problem("").fix)
                }
                problem.location = call.location
                throw problem
            }
            for (name, result) in zip(node.output, results) where !name.isEmpty {
                guard let result else { continue }
                guard values.updateValue(result, forKey: name) == nil else {
                    throw GraphFault.structure.problem("The value “\(name.prefix(80))” is written twice.")
                }
            }
        }
    }

    /// With the output that is the logits, and its name where there are others.
    func finished(_ wanted: String?) throws -> (Graph, output: String?) {
        var found: [Graph.ValueID?] = []
        var outputs: [OutputChoice.Output] = []
        for output in proto.output {
            guard case .tensor(let value, let type)? = values[output.name] else {
                outputs.append(.init(name: output.name, shape: "(a constant)", mayBeLogits: false))
                found.append(nil)
                continue
            }
            let shape = builder.shape(of: value)
            let isRow = shape.count == 2 && shape.first == .batchSize && type == .float32
            outputs.append(.init(name: output.name, shape: "\(shape.text) \(type)", mayBeLogits: isRow))
            found.append(type == .float32 ? value : nil)
        }
        let choice = OutputChoice(outputs: outputs, wanted: wanted)
        let place = try choice.place()
        guard let value = found[place] else {
            throw GraphFault.output.problem(
                "The output “\(outputs[place].name ?? "")” is \(outputs[place].shape): numbers of classes, as an argmax "
                    + "gives them, and no logits.",
                fix: "Export a model whose output is the logits, without the argmax behind them.")
        }
        return (
            builder.graph(output: value, imageShape: [nil] + imageShape.map { $0 }), choice.name(of: place)
        )
    }

    private mutating func results(_ call: ONNXCall) throws -> [Value?] {
        if call.name == "Constant" { return [try constant(call)] }
        let inputs = try call.node.input.map { name -> Value? in
            if name.isEmpty { return nil }
            guard let value = values[name] else {
                throw GraphFault.structure.problem("It reads “\(name.prefix(80))”, which is not there.")
            }
            return value
        }
        var known: [KnownTensor] = []
        for case let value? in inputs {
            guard let tensor = try self.known(value) else { continue }
            try count(tensor)
            known.append(tensor)
        }
        if known.count == inputs.count, !known.isEmpty, let result = ConstantFolding.fold(call, known) {
            try count(result)
            return [.known(result)]
        }
        if let row = try rowResult(call, inputs) { return [row] }
        guard let rule = Self.rules[call.name] else {
            if call.isQuantised {
                throw call.quantised("“\(call.name.prefix(80))” computes with whole numbers.")
            }
            throw ONNXFault.operator.problem(
                "“\(call.name.prefix(80))” is not on the list of operators that may run.", at: call.location,
                fix: GraphFault.otherOperators)
        }
        return try rule(&self, Operands(call: call, values: inputs))
    }

    /// Bounds the time and the memory that computing with constants takes.
    private mutating func count(_ tensor: KnownTensor) throws {
        guard let sum = Checked.sum(computedElements, tensor.count), sum <= Self.maximumComputedElements
        else {
            throw ONNXFault.tooLarge.problem(
                "It computes with more than \(Self.maximumComputedElements) elements of constants.")
        }
        computedElements = sum
    }

    private func constant(_ call: ONNXCall) throws -> Value {
        if let (position, tensor) = call.tensor("value") {
            let name = "constant:" + (call.node.output.first ?? "\(call.index)")
            let place = WireScanner.Place.attribute(node: call.index, attribute: position)
            let read = try ONNXTensor(
                tensor, scanner.payloads[place], name: name, maximumRank: limits.graph.maximumRank,
                files: files)
            return try known(.stored(read, .constant)).map { .known($0) } ?? .stored(read, .constant)
        }
        if let number = call.int("value_int") { return .known(.init(integer: Dimension(number))) }
        if let list = call.ints("value_ints"), list.count <= KnownTensor.maximumCount {
            return .known(.init(sizes: list.map { Dimension($0) }))
        }
        if let number = call.float("value_float") {
            return .known(.init(type: .float32, shape: [], elements: .numbers([number])))
        }
        if let list = call.floats("value_floats"), list.count <= KnownTensor.maximumCount {
            return .known(.init(type: .float32, shape: [list.count], elements: .numbers(list)))
        }
        throw call.failure("The constant holds neither numbers nor a tensor, or too many numbers.")
    }

    // MARK: Values

    /// The elements, where they are known: not those of trained weights and tables.
    func known(_ value: Value) throws -> KnownTensor? {
        switch value {
        case .tensor, .row, .quantised: return nil
        case .known(let known): return known
        case .stored(let tensor, let role):
            guard tensor.count <= KnownTensor.maximumCount else { return nil }
            guard role == .constant else { return nil }
            return KnownTensor(
                type: tensor.readType, shape: tensor.shape, bytes: tensor.read(try bytes(tensor)))
        }
    }

    private func bytes(_ tensor: ONNXTensor) throws -> [UInt8] {
        switch tensor.elements {
        case .inline(let bytes): bytes
        case .file(let offset, let count): try file.bytes(at: offset, count: count)
        }
    }

    func type(_ value: Value) -> ScalarType {
        switch value {
        case .tensor(_, let type): type
        case .stored(let tensor, _): tensor.readType
        case .known(let known): known.type
        case .row(let row): row.table.type
        case .quantised(_, let quantised): quantised.type
        }
    }

    func shape(_ value: Value) -> Shape {
        switch value {
        case .tensor(let id, _), .quantised(let id, _): builder.shape(of: id)
        case .stored(let tensor, _): tensor.shape.map { Dimension($0) }
        case .known(let known): known.shape.map { Dimension($0) }
        case .row(let row): [.batchSize] + row.table.shape.map { Dimension($0) }
        }
    }

    /// The value as a tensor of the graph.
    mutating func tensor(_ value: Value) throws -> Graph.ValueID {
        switch value {
        case .tensor(let id, _): return id
        case .stored(let tensor, let role): return try input(tensor, role)
        case .row: throw ONNXFault.operator.problem("It mixes the images of a batch.")
        case .quantised:
            throw ONNXFault.operator.problem(
                "It computes with whole numbers of a quantisation, before a DequantizeLinear.",
                fix: ONNXCall.advice)
        case .known(let known):
            guard let bytes = known.bytes else {
                throw ONNXFault.operator.problem("It computes with sizes that depend on the batch.")
            }
            let name = "known:\(weights.count)"
            return try input(
                .init(name: name, type: known.type, shape: known.shape, bytes: bytes), .constant)
        }
    }

    private mutating func input(_ tensor: ONNXTensor, _ role: WeightRoles.Role) throws
        -> Graph.ValueID
    {
        if let known = inputs[tensor.name] { return known }
        guard tensor.shape.allSatisfy({ $0 >= 1 }) else {
            throw ONNXFault.weights.problem("“\(tensor.name.prefix(80))” is empty.")
        }
        let kind: Graph.InputKind =
            switch role {
            case .parameter where tensor.readType.isFloatingPoint: .parameter(name: tensor.name)
            case .statistic: .buffer(name: tensor.name)
            default: .constant(name: tensor.name)
            }
        let value = try builder.input(tensor.name, kind, shape: tensor.shape.map { Dimension($0) })
        var location = WeightLocation(
            name: tensor.name, type: tensor.type, shape: tensor.shape,
            strides: Checked.rowMajorStrides(tensor.shape) ?? [], fileOffset: 0,
            // bounded: as many bytes as lie in the file.
            byteCount: tensor.count * tensor.type.byteCount)
        switch tensor.elements {
        case .file(let offset, _):
            location.fileOffset = offset
            weights[value] = .init(location: location, literal: nil, quantisation: tensor.quantisation)
        case .inline(let bytes):
            location.type = tensor.readType
            // bounded: as many elements as lie in the file.
            location.byteCount = tensor.count * tensor.readType.byteCount
            weights[value] = .init(location: location, literal: tensor.read(bytes))
        }
        inputs[tensor.name] = value
        return value
    }
}
