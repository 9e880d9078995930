import Foundation
import Support

/// Tensors in checkpoints: type, shape and elements.
extension Tensor: Codable {
    private enum CodingKeys: String, CodingKey { case type, shape, elements }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        try container.encode(shape, forKey: .shape)
        try container.encode(Data(detach().contiguous().bytes()), forKey: .elements)
    }

    /// - Throws: `DecodingError` where the elements do not fill the shape; `TensorError`.
    public convenience init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let type = try container.decode(ScalarType.self, forKey: .type)
        let shape = try container.decode([Int].self, forKey: .shape)
        let elements = try container.decode(Data.self, forKey: .elements)
        let tensor = try elements.withUnsafeBytes { try Tensor.handle(bytes: $0, type: type, shape: shape) }
        self.init(owning: tensor)
    }
}
