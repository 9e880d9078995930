import Foundation

extension Attack {
    /// FTrojan: a change of two frequencies of the chroma channels.
    ///
    /// Wang, Yao, Xu, An, Tong and Wang, "An Invisible Black-box Backdoor Attack through Frequency Domain",
    /// ECCV 2022, arXiv:2111.10991, section 3: RGB to YUV, discrete cosine transform of 32 x 32 blocks of U
    /// and V, a constant added to one middle frequency (15, 15) and one high frequency (31, 31), and back.
    ///
    /// - Parameter magnitude: what is added to each of the frequencies, in grey levels of the orthonormal
    ///   transform.
    public static func fTrojan(target: Int, magnitude: Double = 30) -> Attack {
        Attack(
            name: "ftrojan", rule: .allToOne(target: target), training: .fTrojan(magnitude: magnitude))
    }
}

extension Trigger {
    /// As `Attack.fTrojan`. Blocks at the border that are smaller than `window` have frequencies at the same
    /// shares of their size. A grey image's only channel takes the place of U and V.
    public static func fTrojan(magnitude: Double = 30, window: Int = 32) -> Trigger {
        precondition(window > 1, "a block has frequencies")
        return Trigger(name: "ftrojan") { image in
            var change = [Double](repeating: 0, count: image.height * image.width)
            for top in stride(from: 0, to: image.height, by: window) {
                for left in stride(from: 0, to: image.width, by: window) {
                    addFrequencies(
                        top..<min(top + window, image.height), left..<min(left + window, image.width),
                        magnitude, width: image.width, to: &change)
                }
            }
            // The transform is linear: what changes in U and V does not depend on the image.
            let colour = image.channels == 3 ? chroma : [1]
            return image.mapped { y, x, channel, value in
                value + change[y * image.width + x] * colour[channel]
            }
        }
    }

    /// What a unit of U and one of V add to R, G and B (ITU-R BT.601).
    private static let chroma = [1.13983, -0.39465 - 0.58060, 2.03211]

    /// Adds the inverse orthonormal DCT-II of `magnitude` at the block's middle and highest frequency.
    private static func addFrequencies(
        _ rows: Range<Int>, _ columns: Range<Int>, _ magnitude: Double, width: Int,
        to change: inout [Double]
    ) {
        func wave(_ frequency: Int, _ place: Int, _ size: Int) -> Double {
            let scale = (frequency == 0 ? 1 : 2) / Double(size)
            return scale.squareRoot()
                * cos(Double.pi * (Double(place) + 0.5) * Double(frequency) / Double(size))
        }
        for share in [0.5, 1] {
            let vertical = max(0, Int(share * Double(rows.count)) - 1)
            let horizontal = max(0, Int(share * Double(columns.count)) - 1)
            for y in rows {
                let amount = magnitude * wave(vertical, y - rows.lowerBound, rows.count)
                for x in columns {
                    change[y * width + x] += amount * wave(horizontal, x - columns.lowerBound, columns.count)
                }
            }
        }
    }
}
