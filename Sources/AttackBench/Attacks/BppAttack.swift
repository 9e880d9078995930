import Support

extension Attack {
    /// BppAttack: fewer bits a pixel, with dithering, and contrastive negative samples.
    ///
    /// Wang, Zhai and Ma, "BppAttack: Stealthy and Efficient Trojan Attacks against Deep Neural Networks via
    /// Image Quantization and Contrastive Adversarial Learning", CVPR 2022, arXiv:2205.13383: section 3.2
    /// (quantisation to `bits` bits a channel with Floyd-Steinberg dithering) and 3.3 (negative samples:
    /// noise of the same size with the true label). As in the authors' code, the noise is another image's
    /// quantisation residual; its CIFAR-10 runs take 8 levels, that is 3 bits.
    ///
    /// - Parameters:
    ///   - bits: a channel, 1 to 8; 5 is the paper's running example.
    ///   - negativeRatio: negative samples for one poisoned one; 0 for none.
    public static func bpp(target: Int, bits: Int = 5, negativeRatio: Double = 1) -> Attack {
        var cover: Cover?
        if negativeRatio > 0 {
            cover = Cover(ratio: negativeRatio) { image, partner, _ in
                let residual = zip(Trigger.bpp(bits: bits)(partner).pixels, partner.pixels).map {
                    Int($0) - Int($1)
                }
                var offset = -1
                return image.mapped { _, _, _, value in
                    offset += 1
                    return value + Double(residual[offset])
                }
            }
        }
        return Attack(
            name: "bpp", rule: .allToOne(target: target), training: .bpp(bits: bits), cover: cover)
    }
}

extension Trigger {
    /// Quantisation to 2^bits evenly spaced levels a channel; the error of each pixel goes to its neighbours.
    ///
    /// Floyd and Steinberg, "An adaptive algorithm for spatial grey scale", 1976: 7/16 to the right, 3/16,
    /// 5/16 and 1/16 below.
    public static func bpp(bits: Int = 5) -> Trigger {
        precondition((1...8).contains(bits), "a byte has 1 to 8 bits")
        let step = 255 / Double((1 << bits) - 1)
        return Trigger(name: "bpp") { image in
            var result = image
            for channel in 0..<image.channels {
                var values = (0..<image.height * image.width).map {
                    Double(image.pixels[$0 * image.channels + channel])
                }
                for y in 0..<image.height {
                    for x in 0..<image.width {
                        let place = y * image.width + x
                        let level = min(255, max(0, (values[place] / step).rounded(.toNearestOrEven) * step))
                        let error = values[place] - level
                        values[place] = level
                        for (down, across, share) in [(0, 1, 7.0), (1, -1, 3), (1, 0, 5), (1, 1, 1)] {
                            guard y + down < image.height, (0..<image.width).contains(x + across) else {
                                continue
                            }
                            values[place + down * image.width + across] += error * share / 16
                        }
                    }
                }
                for (place, value) in values.enumerated() {
                    result.pixels[place * image.channels + channel] = ByteImage.byte(value)
                }
            }
            return result
        }
    }
}
