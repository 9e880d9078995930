extension Attack {
    /// Label-consistent: images of the target class, made hard to classify, get the trigger and keep their
    /// label.
    ///
    /// Turner, Tsipras and Madry, "Label-Consistent Backdoor Attacks", 2019, arXiv:1912.02771, sections 3.2
    /// (adversarial perturbations with respect to a clean model, L-infinity radius 8 to 32 of 255) and 3.3
    /// (the trigger in all four corners, for data augmentation).
    ///
    /// - Parameter epsilon: the L-infinity radius, in grey levels; the steps are the usual ones of projected
    ///   gradient descent.
    public static func labelConsistent(target: Int, epsilon: Double = 16, steps: Int = 10) -> Attack {
        Attack(
            name: "label-consistent", rule: .cleanLabel(target: target), training: .corners(),
            perturbation: AdversarialPerturbation(epsilon: epsilon, step: epsilon / 4, steps: steps))
    }
}

extension Trigger {
    /// A black and white chequered square in each of the four corners, the same after a left-right flip.
    ///
    /// - Parameters:
    ///   - side: of each square, in pixels.
    ///   - opacity: 0 to 1; the paper's reduced visibility.
    public static func corners(side: Int = 3, opacity: Double = 1) -> Trigger {
        precondition(side > 0 && (0...1).contains(opacity), "the squares can be drawn")
        return Trigger(name: "corners") { image in
            image.mapped { y, x, _, value in
                let fromEdge = (y: min(y, image.height - 1 - y), x: min(x, image.width - 1 - x))
                guard fromEdge.y < side, fromEdge.x < side else { return value }
                let colour: Double = (fromEdge.y + fromEdge.x).isMultiple(of: 2) ? 255 : 0
                return (1 - opacity) * value + opacity * colour
            }
        }
    }
}
