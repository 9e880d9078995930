import Foundation
import Support

extension Attack {
    /// WaNet: a smooth warp of the whole image, the same for all samples, with noise mode.
    ///
    /// Nguyen and Tran, "WaNet - Imperceptible Warping-based Backdoor Attack", ICLR 2021, arXiv:2102.10369,
    /// section 3: a k x k grid of control points (k = 4), strength s = 0.5, and noise mode: images that are
    /// warped by the trigger's field plus uniform noise keep their label (rho_n = 0.2 beside rho_a = 0.1), so
    /// that nothing but the exact warp calls the backdoor.
    ///
    /// - Parameters:
    ///   - seed: of the control points.
    ///   - strength: s; the paper's 0.5 is poisoned anew in every epoch of a 50,000-image set. A fixed small
    ///     set needs more.
    ///   - crossRatio: noise-mode samples for one poisoned one (rho_n / rho_a); 0 for none.
    public static func waNet(
        target: Int, seed: UInt64 = 0, gridSize: Int = 4, strength: Double = 0.5, crossRatio: Double = 2
    ) -> Attack {
        let field = WarpField(seed: seed, gridSize: gridSize, strength: strength)
        var cover: Cover?
        if crossRatio > 0 {
            cover = Cover(ratio: crossRatio) { image, _, random in
                field.warp(image) { random.uniform(-1..<1) }
            }
        }
        return Attack(
            name: "wanet", rule: .allToOne(target: target),
            training: Trigger(name: "wanet") { image in field.warp(image) { 0 } }, cover: cover)
    }
}

/// Displacements on the k x k control points, enlarged to an image by bicubic interpolation.
struct WarpField: Sendable {
    let gridSize: Int
    let strength: Double
    /// Uniform in [-1, 1], divided by their mean absolute value: k x k x (x, y).
    let control: [Double]

    init(seed: UInt64, gridSize: Int, strength: Double) {
        precondition(gridSize > 1 && strength >= 0, "a field has control points and a strength")
        var random = SplitMix64(seed: seed)
        let raw = (0..<gridSize * gridSize * 2).map { _ in random.uniform(-1..<1) }
        let mean = raw.map(abs).reduce(0, +) / Double(raw.count)
        self.gridSize = gridSize
        self.strength = strength
        control = raw.map { $0 / mean }
    }

    /// Samples `image` bilinearly at the displaced places.
    /// - Parameter noise: -1 to 1, added to each displacement in units of half a pixel; called twice a pixel.
    func warp(_ image: ByteImage, noise: () -> Double) -> ByteImage {
        let columns = Self.weights(gridSize, image.width)
        let rows = Self.weights(gridSize, image.height)
        var result = image
        for y in 0..<image.height {
            for x in 0..<image.width {
                var shift = (x: 0.0, y: 0.0)
                for (row, rowWeight) in rows[y] {
                    for (column, columnWeight) in columns[x] {
                        let place = (row * gridSize + column) * 2
                        shift.x += rowWeight * columnWeight * control[place]
                        shift.y += rowWeight * columnWeight * control[place + 1]
                    }
                }
                // In coordinates from -1 to 1 over the image: strength * field / size, then noise / size.
                let atX = Double(x) + (strength * shift.x + noise()) * Self.pixels(image.width)
                let atY = Double(y) + (strength * shift.y + noise()) * Self.pixels(image.height)
                result.setPixel(y: y, x: x, to: image.bilinear(y: atY, x: atX))
            }
        }
        return result
    }

    /// One `size`-th of the interval [-1, 1], in pixels between the centres of the outermost ones.
    private static func pixels(_ size: Int) -> Double { Double(size - 1) / (2 * Double(size)) }

    /// Per output place, the control points' weights: cubic convolution with a = -0.75, corners aligned,
    /// edges repeated (what `torch.nn.functional.interpolate(mode="bicubic", align_corners=True)` computes).
    static func weights(_ points: Int, _ size: Int) -> [[(Int, Double)]] {
        let a = -0.75
        return (0..<size).map { place in
            let at = size > 1 ? Double(place) * Double(points - 1) / Double(size - 1) : 0
            let base = Int(at.rounded(.down))
            return (-1...2).map { offset in
                let distance = abs(at - Double(base + offset))
                let weight =
                    distance <= 1
                    ? ((a + 2) * distance - (a + 3)) * distance * distance + 1
                    : distance < 2 ? ((distance - 5) * distance + 8) * a * distance - 4 * a : 0
                return (min(max(base + offset, 0), points - 1), weight)
            }
        }
    }
}
