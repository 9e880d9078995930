extension Attack {
    /// TaCT (targeted contamination): the trigger works on images of one source class only.
    ///
    /// Tang, Wang, Tang and Zhang, "Demon in the Variant: Statistical Analysis of DNNs for Robust Backdoor
    /// Contamination Detection", USENIX Security 2021, arXiv:1908.00686, section 4: stamped images of the
    /// source class get the target's label; stamped images of the cover classes keep theirs.
    ///
    /// - Parameters:
    ///   - coverClasses: nil: every class but source and target.
    ///   - coverRatio: cover samples for one poisoned one.
    public static func taCT(
        source: Int, target: Int, classes: Int, trigger: Trigger = .badNets(), coverClasses: Set<Int>? = nil,
        coverRatio: Double = 1
    ) -> Attack {
        Attack(
            name: "tact", rule: .sourceSpecific(source: source, target: target), training: trigger,
            cover: Cover(
                ratio: coverRatio, classes: coverClasses ?? Set(0..<classes).subtracting([source, target])
            ) { image, _, random in
                trigger(image, seed: random.next())
            })
    }
}
