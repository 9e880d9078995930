import Support

/// Labelled images drawn by rule, for demonstrations and tests that need data without a download.
///
/// Ten classes: seven shapes and three textures, in random colours, sizes, places and directions, over
/// gradients, with distracting strokes and noise. A small convolutional network learns them in a few epochs;
/// colour, brightness or a single pixel tell nothing of the class.
public enum ProceduralImages {
    public static let height = 32
    public static let width = 32
    public static let channels = 3
    /// In sorted order, so that a class's place is its label in a packed data set.
    public static let classes = Motif.allCases.map(\.rawValue)

    /// One image, H x W x C bytes (RGB): a pure function of its arguments.
    /// - Parameter label: index into `classes`.
    public static func image(label: Int, index: Int, seed: UInt64) -> [UInt8] {
        precondition(classes.indices.contains(label), "the label is one of the classes")
        var random = SplitMix64(
            seed: seed, keys: UInt64(label), UInt64(bitPattern: Int64(index)))
        let scene = Scene(motif: Motif.allCases[label], random: &random)
        var pixels = [UInt8](repeating: 0, count: height * width * channels)
        var offset = 0
        for y in 0..<height {
            for x in 0..<width {
                let colour = scene.colour(x: x, y: y)
                for channel in 0..<channels {
                    let value = colour[channel] + scene.noise * random.normal()
                    pixels[offset] = UInt8((min(1, max(0, value)) * 255).rounded())
                    offset += 1
                }
            }
        }
        return pixels
    }
}
