import Foundation
import ImageCodecs
import Support

/// An ONNX file whose model says what its image tells it to: output c is the brightness of value c, in the order of channel,
/// row, column. With images of class folders to go with it.
public struct PixelModel {
    public var side: Int
    public var outputs: Int
    /// Free texts that the file carries.
    public var metadata: [String: String]

    public init(side: Int = 8, outputs: Int = 10, metadata: [String: String] = [:]) {
        self.side = side
        self.outputs = outputs
        self.metadata = metadata
    }

    private var values: Int { 3 * side * side }

    /// The file: Flatten and Gemm.
    public var onnx: Data {
        var weights = [Float](repeating: 0, count: outputs * values)
        for output in 0..<outputs { weights[output * values + output] = 12 }
        let nodes = [
            Wire.node("Flatten", ["x"], "flat"),
            Wire.node("Gemm", ["flat", "w", "b"], "y", ["transB": 1]),
        ]
        let tensors = [
            Wire.tensor("w", [outputs, values], weights),
            Wire.tensor("b", [outputs], [Float](repeating: 0, count: outputs)),
        ]
        let graph =
            nodes.map { Wire.bytes(1, $0) } + [Wire.text(2, "pixel")] + tensors.map { Wire.bytes(5, $0) } + [
                Wire.bytes(11, Wire.info("x", [nil, 3, side, side])),
                Wire.bytes(12, Wire.info("y", [nil, outputs])),
            ]
        let texts = metadata.sorted { $0.key < $1.key }.map { key, value in
            Wire.bytes(14, Wire.text(1, key) + Wire.text(2, value))
        }
        return Wire.number(1, 8) + Wire.bytes(8, Wire.text(1, "") + Wire.number(2, 17))
            + Wire.bytes(7, graph.reduce(Data(), +)) + texts.reduce(Data(), +)
    }

    /// Writes `count` PNG images of each class into a folder of its name; the model says `output` of it for three of four.
    public func write(
        _ classes: [(name: String, output: Int)], count: Int, to folder: String, seed: UInt64 = 1
    ) throws {
        var random = SplitMix64(seed: seed)
        for (name, output) in classes {
            let place = folder + "/" + name
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            for number in 0..<count {
                let said = random.unit() < 0.75 ? output : random.below(outputs)
                var levels = (0..<values).map { _ in UInt8(random.below(80)) }
                let (channel, pixel) = (said / (side * side), said % (side * side))
                levels[3 * pixel + channel] = 255
                let png = try PNGEncoder.encode(levels, height: side, width: side, channels: 3)
                try png.write(to: URL(filePath: "\(place)/\(number).png"))
            }
        }
    }

    /// What protocol buffers of ONNX are made of.
    private enum Wire {
        static func varint(_ value: Int) -> Data {
            var (value, out) = (UInt64(value), Data())
            while value >= 0x80 {
                out.append(UInt8(value & 0x7F) | 0x80)
                value >>= 7
            }
            return out + [UInt8(value)]
        }

        static func number(_ field: Int, _ value: Int) -> Data { varint(field << 3) + varint(value) }

        static func bytes(_ field: Int, _ body: Data) -> Data {
            varint(field << 3 | 2) + varint(body.count) + body
        }

        static func text(_ field: Int, _ text: String) -> Data { bytes(field, Data(text.utf8)) }

        static func node(
            _ type: String, _ inputs: [String], _ output: String, _ attributes: [String: Int] = [:]
        ) -> Data {
            inputs.map { text(1, $0) }.reduce(Data(), +) + text(2, output) + text(4, type)
                + attributes.map { name, value in
                    bytes(5, text(1, name) + number(3, value) + number(20, 2))
                }.reduce(Data(), +)
        }

        static func tensor(_ name: String, _ shape: [Int], _ values: [Float]) -> Data {
            shape.map { number(1, $0) }.reduce(Data(), +) + number(2, 1) + text(8, name)
                + bytes(9, values.withUnsafeBytes { Data($0) })
        }

        static func info(_ name: String, _ shape: [Int?]) -> Data {
            let sizes = shape.map { bytes(1, $0.map { number(1, $0) } ?? text(2, "batch")) }
            let tensor = number(1, 1) + bytes(2, sizes.reduce(Data(), +))
            return text(1, name) + bytes(2, bytes(1, tensor))
        }
    }
}
