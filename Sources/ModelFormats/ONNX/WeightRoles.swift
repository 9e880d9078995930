import Graph

/// ONNX does not say which initializers are trained. Their first use says it:
///
/// - trained: kernels, matrices, biases, scales and shifts of normalisations, slopes, embeddings; tensors that are
///   added as a bias or a position embedding, multiplied as a layer scale, or joined as a class token;
/// - statistics: a batch normalisation's mean and variance;
/// - constant: everything else, such as the image's normalisation, masks, tables of indices.
struct WeightRoles {
    enum Role { case parameter, statistic, constant }

    private var roles: [String: Role] = [:]

    private static let passing: Set<String> = [
        "Identity", "Transpose", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Cast", "Slice", "Split",
        "Gather",
        "QuantizeLinear", "DequantizeLinear", "Expand", "Clip", "Exp", "Softmax", "Sigmoid", "Concat",
    ]

    init(_ graph: Onnx_GraphProto) {
        let shapes = Dictionary(graph.initializer.map { ($0.name, $0.dims.map(Int.init)) }) {
            first, _ in
            first
        }
        // By value: the initializers that it is made of by moving elements about alone.
        var origins: [String: [String]] = [:]
        for name in shapes.keys { origins[name] = [name] }
        for node in graph.node {
            for (position, input) in node.input.enumerated() {
                guard let names = origins[input] else { continue }
                for name in names where roles[name] == nil {
                    roles[name] = Self.role(node.opType, position, shapes[name] ?? [])
                }
            }
            guard Self.passing.contains(node.opType) else { continue }
            let names = node.input.prefix(node.opType == "Concat" ? node.input.count : 1).flatMap {
                origins[$0] ?? []
            }
            guard !names.isEmpty, names.count <= 16 else { continue }
            for output in node.output { origins[output] = names }
        }
    }

    subscript(name: String) -> Role { roles[name] ?? .constant }

    private static func role(_ operation: String, _ position: Int, _ shape: [Int]) -> Role? {
        switch (operation, position) {
        case ("Conv", 1), ("Conv", 2), ("Gemm", _), ("MatMul", _), ("PRelu", 1),
            ("LayerNormalization", 1...),
            ("InstanceNormalization", 1...), ("GroupNormalization", 1...), ("RMSNormalization", 1...),
            ("SkipLayerNormalization", 1...), ("BatchNormalization", 1...2), ("Einsum", _):
            .parameter
        case ("BatchNormalization", 3...4): .statistic
        case ("Add", _), ("Mul", _), ("Concat", _):
            isTrainable(shape) ? .parameter : nil
        default: nil
        }
    }

    /// A bias, a scale for each channel, a table or an embedding, but no number and no normalisation of an image.
    private static func isTrainable(_ shape: [Int]) -> Bool {
        let sizes = shape.filter { $0 > 1 }
        guard let largest = sizes.max(), largest > 4 else { return false }
        return sizes.count == 1 || shape.count == 2 || (shape.count <= 4 && shape.first == 1)
    }
}
