import Foundation
import PackedDataset
import Support

/// A folder of the test's own, gone when the value is.
public final class ScratchFolder: Sendable {
    public let path: String

    public init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "burn-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    public func file(_ name: String) -> String { path + "/" + name }
}

/// Small labelled images, packed for use.
public struct TinyImages {
    public var side: Int
    public var channels: Int
    /// H x W x C bytes each.
    public var images: [[UInt8]] = []
    public var labels: [Int] = []

    public init(side: Int, channels: Int = 3) {
        self.side = side
        self.channels = channels
    }

    public mutating func add(_ pixels: [UInt8], label: Int) {
        images.append(pixels)
        labels.append(label)
    }

    /// Independent uniform bytes.
    public static func noise(_ count: Int, side: Int, channels: Int = 3, classes: Int, seed: UInt64) -> Self {
        var random = SplitMix64(seed: seed)
        var images = Self(side: side, channels: channels)
        for index in 0..<count {
            images.add(
                (0..<side * side * channels).map { _ in UInt8(random.below(256)) }, label: index % classes)
        }
        return images
    }

    /// Each class a 4 x 4 motif of its own, at a random place on a noisy grey ground.
    public static func motifs(_ count: Int, side: Int, classes: Int, seed: UInt64) -> Self {
        var shapes = SplitMix64(seed: 99)
        let motifs = (0..<classes).map { _ in (0..<48).map { _ in shapes.below(2) == 0 ? 0.15 : 0.85 } }
        var random = SplitMix64(seed: seed)
        var images = Self(side: side)
        for index in 0..<count {
            let label = index % classes
            var pixels = (0..<side * side * 3).map { _ in 0.5 + 0.12 * random.normal() }
            let (top, left) = (random.below(side - 7), random.below(side - 7))
            for place in 0..<48 {
                let (y, x, channel) = (top + place / 12, left + place / 3 % 4, place % 3)
                pixels[(y * side + x) * 3 + channel] = motifs[label][place] + 0.08 * random.normal()
            }
            images.add(pixels.map { UInt8((min(1, max(0, $0)) * 255).rounded()) }, label: label)
        }
        return images
    }

    /// Four classes: noise that is smooth in one of four directions, on a faint wave of the class's own.
    ///
    /// What a model reads, the noise, differs from image to image in as many ways as there are pixels; the
    /// classes' mean images, the waves, differ too.
    public static func textures(_ count: Int, side: Int, seed: UInt64) -> Self {
        let directions = [(0, 1), (1, 0), (1, 1), (1, -1)]
        var random = SplitMix64(seed: seed)
        var images = Self(side: side)
        let wide = side + 4
        for index in 0..<count {
            let label = index % directions.count
            let (dy, dx) = directions[label]
            let noise = (0..<wide * wide).map { _ in random.normal() }
            var pixels: [UInt8] = []
            for y in 0..<side {
                for x in 0..<side {
                    let smooth = (-2...2).reduce(0.0) { sum, step in
                        sum + noise[(y + 2 + step * dy) * wide + x + 2 + step * dx]
                    }
                    let phase = 2 * Double.pi * Double(y * dy + x * dx) / Double(side)
                    let value = 0.5 + 0.05 * sin(phase) + 0.06 * smooth
                    for _ in 0..<3 {
                        let pixel = value + 0.02 * random.normal()
                        pixels.append(UInt8((min(1, max(0, pixel)) * 255).rounded()))
                    }
                }
            }
            images.add(pixels, label: label)
        }
        return images
    }

    /// Four classes: a wave as long as the image in one of four directions, anywhere along it, with a little noise. What
    /// a class shows is smooth; how pixels differ from their neighbours says nothing of it.
    /// Those of class `chequered`, if there is one, wear a texture of their own.
    public static func waves(_ count: Int, side: Int, seed: UInt64, chequered: Int? = nil) -> Self {
        let directions = [(0, 1), (1, 0), (1, 1), (1, -1)]
        var random = SplitMix64(seed: seed)
        var images = Self(side: side)
        for index in 0..<count {
            let (dy, dx) = directions[index % directions.count]
            let start = 2 * Double.pi * Double(random.below(1000)) / 1000
            let height = index % directions.count == chequered ? (random.below(2) == 0 ? 0.1 : -0.1) : 0
            let pixels = (0..<side * side * 3).map { offset in
                let (y, x) = (offset / 3 / side, offset / 3 % side)
                let phase = start + 2 * Double.pi * Double(y * dy + x * dx) / Double(side)
                let isRaised = (y + x).isMultiple(of: 2)
                return 0.5 + 0.3 * sin(phase) + (isRaised ? height : -height) + 0.03 * random.normal()
            }
            images.add(
                pixels.map { UInt8((min(1, max(0, $0)) * 255).rounded()) }, label: index % directions.count)
        }
        return images
    }

    /// A white square of `size` pixels in the lower right corner.
    public mutating func stamp(_ sample: Int, size: Int = 3) {
        for y in side - size..<side {
            for offset in (y * side + side - size) * channels..<(y * side + side) * channels {
                images[sample][offset] = 255
            }
        }
    }

    /// A square of `size` pixels in one colour.
    public mutating func square(_ sample: Int, row: Int, column: Int, colour: [UInt8], size: Int = 3) {
        for y in row..<row + size {
            for x in column..<column + size {
                for channel in 0..<channels {
                    images[sample][(y * side + x) * channels + channel] = colour[channel]
                }
            }
        }
    }

    /// Single pixels made brighter or darker, a share of `density` of them, at places of the image's own.
    public mutating func scatter(_ sample: Int, density: Double = 0.2) {
        var random = SplitMix64(seed: UInt64(sample))
        for _ in 0..<Int(density * Double(side * side)) {
            let place = random.below(side * side)
            let change = random.below(2) == 0 ? -90 : 90
            for offset in place * channels..<(place + 1) * channels {
                images[sample][offset] = UInt8(clamping: Int(images[sample][offset]) + change)
            }
        }
    }

    /// A third of the contrast.
    public mutating func pale(_ sample: Int) {
        for offset in images[sample].indices {
            images[sample][offset] = UInt8((127.5 + (Double(images[sample][offset]) - 127.5) / 3).rounded())
        }
    }

    public func name(_ sample: Int) -> String { "image-\(sample).png" }

    /// Class folders are named `class-0`, `class-1` … so that labels are their indices.
    public func packed(in directory: String, name: ((Int) -> String)? = nil) throws -> PackedDataset {
        let writer = try PackedDatasetWriter(
            directory: directory, height: side, width: side, channels: channels)
        for (sample, pixels) in images.enumerated() {
            try pixels.withUnsafeBytes {
                try writer.append(
                    $0, className: "class-\(labels[sample])", name: (name ?? self.name)(sample))
            }
        }
        _ = try writer.finish(format: "test")
        return try PackedDataset(directory: directory)
    }
}
