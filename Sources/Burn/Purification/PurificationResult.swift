import Execution

extension Purification {
    struct Result {
        /// Nil when the weights stay as they are.
        var model: GraphModel?
        var restoration: LabelRestoration
        var flagged: [Bool]
        /// Samples that were never trained on, with both models' predictions; nil without another model.
        var holdout: Holdout?
        /// What was done; nil where nothing was.
        var treatment: Treatment?
        /// Other treatments were tried first, and failed the gate.
        var isFallback = false
        /// Why the acceptance gate does not hold for `model`; nil where it does, or nothing was changed.
        var shortfall: String?
    }

    struct Holdout {
        var samples: [Int]
        var before: [Int]
        var after: [Int]
    }
}

extension Purification.Result {
    /// What was done to the model, in words.
    func statements(_ treatment: Treatment) -> [String] {
        var lines = ["Treated by \(treatment.words)."]
        if isFallback {
            lines = [
                "The treatment that the evidence calls for did not pass its acceptance gate. Treated by "
                    + "\(treatment.words) instead."
            ]
        }
        if let shortfall {
            lines.append(
                "The purified model is a best effort that does not pass its acceptance gate: \(shortfall). Do not "
                    + "put it to use unchecked.")
        }
        return lines
    }
}
