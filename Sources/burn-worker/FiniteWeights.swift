import Graph
import ModelFormats
import Support
import Tensors

/// Weights that are no numbers, found before they make every answer of the model none.
enum FiniteWeights {
    private static let named = 20

    /// - Throws: `Problem` `weights-not-finite` that names the tensors.
    static func require(_ file: ModelFile, token: CancellationToken) throws {
        let kinds = Dictionary(
            file.graph.inputs.compactMap { input -> (String, Bool)? in
                switch input.kind {
                case .parameter(let name): (name, true)
                case .buffer(let name): (name, false)
                case .constant, .image: nil
                }
            }, uniquingKeysWith: { first, _ in first })
        var found: [String] = []
        for weight in file.weights where weight.type.isFloatingPoint {
            guard let isTrained = kinds[weight.name], !token.isCancelled else { continue }
            // A mask of minus infinity is a buffer, and sound.
            let count = count(try file.readWeight(weight), weight.type, infinities: isTrained)
            if count > 0 { found.append("“\(weight.name.prefix(80))” (\(count) values)") }
        }
        guard !found.isEmpty else { return }
        throw Problem(
            .unprocessable, code: "weights-not-finite", title: "Weights of the model are no numbers",
            detail: "NaN or infinity are in \(found.count) tensors: "
                + found.prefix(named).joined(separator: ", ") + (found.count > named ? ", …" : "") + ".",
            fix: "Its training diverged: take an earlier checkpoint. In PyTorch: "
                + "[n for n, t in model.state_dict().items() if not t.isfinite().all()]")
    }

    private static func count(_ bytes: [UInt8], _ type: ScalarType, infinities: Bool) -> Int {
        switch type {
        case .float64: count(bytes, UInt64.self, 0x7FF0 << 48, infinities)
        case .float16: count(bytes, UInt16.self, 0x7C00, infinities)
        case .bfloat16: count(bytes, UInt16.self, 0x7F80, infinities)
        default: count(bytes, UInt32.self, 0x7F80_0000, infinities)
        }
    }

    /// - Parameter exponent: the bits that are all set in what is no number.
    private static func count<Pattern: FixedWidthInteger>(
        _ bytes: [UInt8], _: Pattern.Type, _ exponent: Pattern, _ infinities: Bool
    ) -> Int {
        bytes.withUnsafeBytes { raw in
            var count = 0
            for place in stride(
                from: 0, to: raw.count - MemoryLayout<Pattern>.size + 1, by: MemoryLayout<Pattern>.size)
            {
                let pattern = Pattern(
                    littleEndian: raw.loadUnaligned(fromByteOffset: place, as: Pattern.self))
                guard pattern & exponent == exponent else { continue }
                let mantissa = pattern & ~exponent & Pattern.max >> 1
                if infinities || (mantissa << 1) != 0 { count += 1 }
            }
            return count
        }
    }
}
