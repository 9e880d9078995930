import Graph
import Support

/// What is said of weights that are read in another way than their file has them.
enum WeightConversion {
    static func ofHalf(_ type: ScalarType) -> String {
        "Its weights are of \(type); it is computed in float32, and written back as it was."
    }

    static func ofWholes(_ count: Int, activations: Bool) -> String {
        let weights =
            "\(count) weights are kept as whole numbers: they are read as float32, and written back rounded to the "
            + "file's own steps."
        let computed =
            "What is quantised on the way is held within the range of its whole numbers, and not rounded."
        return [count > 0 ? weights : nil, activations ? computed : nil].compactMap(\.self)
            .joined(separator: " ")
    }
}

extension ONNXModel {
    /// Nil where all is read as it is.
    func conversion(_ rows: [Weight]) -> String? {
        if operators["DequantizeLinear"] != nil {
            return WeightConversion.ofWholes(
                rows.count { $0.quantisation != nil }, activations: operators["QuantizeLinear"] != nil)
        }
        return rows.first { $0.location.type == .float16 || $0.location.type == .bfloat16 }
            .map { WeightConversion.ofHalf($0.location.type) }
    }
}

extension ONNXModel.Weight {
    /// As the graph takes it.
    var graphLocation: WeightLocation {
        var result = location.asFloat32
        if quantisation != nil { result.type = .float32 }
        return result
    }
}

extension WeightLocation {
    /// As the graph takes what its file keeps in half precision.
    var asFloat32: WeightLocation {
        guard [.float16, .bfloat16].contains(type) else { return self }
        var result = self
        result.type = .float32
        return result
    }
}
