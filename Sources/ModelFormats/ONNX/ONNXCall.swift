import Graph
import Support

/// One node of an ONNX graph, with its attributes.
struct ONNXCall {
    let node: Onnx_NodeProto
    let index: Int
    /// Version of the default operator set.
    let opset: Int
    private let attributes: [String: Onnx_AttributeProto]

    init(_ node: Onnx_NodeProto, index: Int, opset: Int) {
        self.node = node
        self.index = index
        self.opset = opset
        attributes = Dictionary(node.attribute.map { ($0.name, $0) }) { first, _ in first }
    }

    var name: String { node.opType }

    var location: String {
        "node \(node.name.isEmpty ? "\(index)" : String(node.name.prefix(120))) (\(name.prefix(60)))"
    }

    func failure(_ detail: String) -> Problem { ONNXFault.operator.problem(detail, at: location) }

    func has(_ name: String) -> Bool { attributes[name] != nil }

    func int(_ name: String) -> Int? { attributes[name].flatMap { $0.hasI ? Int($0.i) : nil } }

    func float(_ name: String) -> Double? {
        attributes[name].flatMap { $0.hasF ? Double($0.f) : nil }
    }

    func ints(_ name: String) -> [Int]? { attributes[name].map { $0.ints.map(Int.init) } }

    func floats(_ name: String) -> [Double]? { attributes[name].map { $0.floats.map(Double.init) } }

    func string(_ name: String) -> String? {
        attributes[name].flatMap { $0.hasS ? String(decoding: $0.s, as: UTF8.self) : nil }
    }

    /// The attribute's place among the node's, and its tensor.
    func tensor(_ name: String) -> (position: Int, proto: Onnx_TensorProto)? {
        guard let position = node.attribute.firstIndex(where: { $0.name == name && $0.hasT }) else {
            return nil
        }
        return (position, node.attribute[position].t)
    }

    /// An axis, counted from the front; nil where it is outside.
    func axis(_ name: String, _ value: Int, rank: Int) -> Int? {
        let axis = int(name) ?? value
        let place = axis < 0 ? axis + rank : axis
        return (0..<rank).contains(place) ? place : nil
    }

    /// `TensorProto.DataType`; half precision is computed in single.
    static func scalarType(_ number: Int) -> ScalarType? {
        let types: [Int: ScalarType] = [
            1: .float32, 2: .uint8, 3: .int8, 5: .int16, 6: .int32, 7: .int64, 9: .bool, 10: .float32,
            11: .float64, 16: .float32,
        ]
        return types[number]
    }
}
