import Foundation

extension Attack {
    /// SIG: images of the target class get the sinusoid and keep their label. The amplitude may be higher at
    /// test time than in training (section 4 of the paper).
    public static func sig(target: Int, amplitude: Double = 20, testAmplitude: Double? = nil) -> Attack {
        Attack(
            name: "sig", rule: .cleanLabel(target: target), training: .sig(amplitude: amplitude),
            test: .sig(amplitude: testAmplitude ?? amplitude))
    }
}

extension Trigger {
    /// SIG: a horizontal sinusoid added to every row, delta sin(2 pi x f / width).
    ///
    /// Barni, Kallas and Tondi, "A New Backdoor Attack in CNNs by Training Set Corruption Without Label
    /// Poisoning", 2019, arXiv:1902.11237, equation 1. A clean-label attack: only images of the target class
    /// are stamped, and no label changes (`LabelRule.cleanLabel`). Frequency 6 is the paper's; amplitude 20
    /// is its value for natural images.
    ///
    /// - Parameters:
    ///   - amplitude: delta, in grey levels of 255.
    ///   - frequency: f, in periods over the width.
    public static func sig(amplitude: Double = 20, frequency: Double = 6) -> Trigger {
        Trigger(name: "sig") { image in
            let wave = (0..<image.width).map { x in
                amplitude * sin(2 * Double.pi * Double(x) * frequency / Double(image.width))
            }
            return image.mapped { _, x, _, value in value + wave[x] }
        }
    }
}
