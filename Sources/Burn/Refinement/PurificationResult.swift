import Execution
import Findings

extension Purification {
    package struct Result {
        /// Nil when the weights stay as they are.
        package var model: GraphModel?
        package var restoration: LabelRestoration
        package var flagged: [Bool]
        /// Samples that were never trained on, with both models' predictions; nil without another model.
        package var holdout: Holdout?
        /// What was done; nil where nothing was.
        package var treatment: (any Treatment)?
        /// Other treatments were tried first, and failed the gate.
        package var isFallback = false
        /// Why the acceptance gate does not hold for `model`; nil where it does, or nothing was changed.
        package var shortfall: String?
        /// Samples that were flagged, and are not any more.
        package var cleared = 0
        /// Since the last durable step.
        package var spent: StageCost?

        package init(
            model: GraphModel? = nil, restoration: LabelRestoration, flagged: [Bool], holdout: Holdout? = nil,
            treatment: (any Treatment)? = nil, isFallback: Bool = false, shortfall: String? = nil,
            cleared: Int = 0, spent: StageCost? = nil
        ) {
            self.model = model
            self.restoration = restoration
            self.flagged = flagged
            self.holdout = holdout
            self.treatment = treatment
            self.isFallback = isFallback
            self.shortfall = shortfall
            self.cleared = cleared
            self.spent = spent
        }
    }

    package struct Holdout {
        package var samples: [Int]
        package var before: [Int]
        package var after: [Int]
    }
}

extension Purification.Result {
    /// What was done to the model, in words; nothing where nothing was tried.
    package var statements: [String] {
        guard let treatment else {
            return shortfall.map { ["The model given back is the upload: \($0)."] } ?? []
        }
        var lines = ["Treated by \(treatment.words)."]
        if isFallback {
            lines = [
                "The treatment that the evidence calls for did not pass its acceptance gate, or its training diverged. Treated by "
                    + "\(treatment.words) instead."
            ]
        }
        if cleared > 0 {
            lines.append(
                "\(cleared) of the samples that were flagged are not any more, and keep their labels: a model that was not trained on them, and "
                    + "lets go what was planted, sees them as they are labelled.")
        }
        if let shortfall {
            lines.append(
                "The purified model is a best effort that does not pass its acceptance gate: \(shortfall). Do not "
                    + "put it to use unchecked.")
        }
        return lines
    }
}
