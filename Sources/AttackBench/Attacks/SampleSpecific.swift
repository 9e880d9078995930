import Foundation
import Support

extension Attack {
    /// A trigger that differs from image to image: a network computes pattern and mask from the image itself.
    ///
    /// The setting is that of Nguyen and Tran, "Input-Aware Dynamic Backdoor Attack", NeurIPS 2020,
    /// arXiv:2010.08138: a sparse pattern (3.2 % of the pixels, the paper's mask density) that depends on the
    /// input, and cross-trigger samples, which carry another image's trigger and keep their label (rho_c =
    /// rho_b = 0.1). Unlike there, the generator is not trained together with the classifier: it is a fixed
    /// two-layer convolutional network with random weights. So this is not the paper's attack, which is not a
    /// function of the image alone, but has the property that matters to a defence: no two samples share a
    /// trigger.
    ///
    /// - Parameters:
    ///   - seed: of the network's weights.
    ///   - density: share of the pixels that are replaced.
    ///   - crossRatio: cross-trigger samples for one poisoned one; 0 for none.
    public static func sampleSpecific(
        target: Int, seed: UInt64 = 0, density: Double = 0.032, crossRatio: Double = 1
    ) -> Attack {
        precondition((0...1).contains(density), "a density is between 0 and 1")
        let generator = PatternGenerator(seed: seed, density: density)
        var cover: Cover?
        if crossRatio > 0 {
            cover = Cover(ratio: crossRatio) { image, partner, _ in
                generator.stamp(image, with: generator.pattern(for: partner))
            }
        }
        return Attack(
            name: "sample-specific", rule: .allToOne(target: target),
            training: Trigger(name: "sample-specific") { image in
                generator.stamp(image, with: generator.pattern(for: image))
            }, cover: cover)
    }
}

/// Two 3 x 3 convolutions with random weights: where the last channel is largest, the others are the colours.
struct PatternGenerator: Sendable {
    private static let hidden = 8
    private static let reach = 1
    let density: Double
    private let seed: UInt64

    init(seed: UInt64, density: Double) {
        self.seed = seed
        self.density = density
    }

    /// Offsets of the replaced pixels, and their colours.
    func pattern(for image: ByteImage) -> [(offset: Int, colour: [UInt8])] {
        var random = SplitMix64(seed: seed)
        let input = image.pixels.map { Double($0) / 127.5 - 1 }
        let hidden = Self.layer(
            input, channels: image.channels, outputs: Self.hidden, image.height, image.width, gain: 3, &random
        )
        let output = Self.layer(
            hidden, channels: Self.hidden, outputs: image.channels + 1, image.height, image.width, gain: 3,
            &random)
        let stride = image.channels + 1
        let count = Int((density * Double(image.height * image.width)).rounded())
        let chosen = (0..<image.height * image.width).sorted {
            let (left, right) = (output[$0 * stride + image.channels], output[$1 * stride + image.channels])
            return left == right ? $0 < $1 : left > right
        }.prefix(count)
        return chosen.map { place in
            (
                place * image.channels,
                (0..<image.channels).map { ByteImage.byte((output[place * stride + $0] + 1) * 127.5) }
            )
        }
    }

    func stamp(_ image: ByteImage, with pattern: [(offset: Int, colour: [UInt8])]) -> ByteImage {
        var result = image
        for (offset, colour) in pattern {
            result.pixels.replaceSubrange(offset..<offset + colour.count, with: colour)
        }
        return result
    }

    /// tanh of a convolution with normal weights, edges repeated: H x W x outputs.
    private static func layer(
        _ input: [Double], channels: Int, outputs: Int, _ height: Int, _ width: Int, gain: Double,
        _ random: inout SplitMix64
    ) -> [Double] {
        let side = 2 * reach + 1
        let scale = gain / Double(side * side * channels).squareRoot()
        let weights = (0..<outputs * side * side * channels).map { _ in scale * random.normal() }
        var result = [Double](repeating: 0, count: height * width * outputs)
        for y in 0..<height {
            for x in 0..<width {
                for output in 0..<outputs {
                    var sum = 0.0
                    var weight = output * side * side * channels
                    for dy in -reach...reach {
                        let row = min(max(y + dy, 0), height - 1)
                        for dx in -reach...reach {
                            let column = min(max(x + dx, 0), width - 1)
                            let start = (row * width + column) * channels
                            for channel in 0..<channels {
                                sum += weights[weight] * input[start + channel]
                                weight += 1
                            }
                        }
                    }
                    result[(y * width + x) * outputs + output] = tanh(sum)
                }
            }
        }
        return result
    }
}
