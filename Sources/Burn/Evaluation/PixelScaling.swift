import Findings
import Support
import Tensors

/// An input scaling for a number of channels, checked.
struct PixelScaling: Sendable {
    let scale: Float
    let mean: [Float]
    let std: [Float]
    /// The lowest and highest values an input can take, per channel: (1, C, 1, 1).
    let lowest: Tensor
    let highest: Tensor

    /// - Throws: `Problem` `input-scaling-invalid`.
    init(_ input: InputScaling, channels: Int) throws {
        let mean = try Self.perChannel(input.mean, "mean", otherwise: 0, channels)
        let std = try Self.perChannel(input.std, "std", otherwise: 1, channels)
        let range = input.range
        // Far below what float32 holds, so that no sum or quotient of them overflows.
        guard range.count == 2, (range + mean + std).allSatisfy({ abs($0) < 1e12 }), range[0] < range[1],
            std.allSatisfy({ $0 > 1e-6 })
        else {
            throw Problem(
                .unprocessable, code: "input-scaling-invalid", title: "The input scaling is invalid",
                detail: "range must be [low, high] with low < high, std above 0, and all of them below 1e12",
                location: "options.input",
                fix:
                    "Give the range that the model was trained with, such as [0, 1], and a mean and std for each channel."
            )
        }
        scale = Float((range[1] - range[0]) / 255)
        self.mean = mean.map { Float($0 - range[0]) }
        self.std = std.map { Float($0) }
        let bounds = [Float(range[0]), Float(range[1])].map { [mean = self.mean, std = self.std] bound in
            zip(mean, std).map { (bound - Float(range[0]) - $0) / $1 }
        }
        lowest = try Tensor(zip(bounds[0], bounds[1]).map(min), shape: [1, channels, 1, 1])
        highest = try Tensor(zip(bounds[0], bounds[1]).map(max), shape: [1, channels, 1, 1])
    }

    private static func perChannel(
        _ values: [Double], _ name: String, otherwise: Double, _ channels: Int
    ) throws -> [Double] {
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
}
