/// What a fine-tuning does with flagged samples and with the trigger.
package enum Treatment: String, Sendable {
    /// Flagged samples learn their restored labels; trusted ones carry the trigger and keep theirs.
    case restoreAndTransplant = "restore-and-transplant"
    /// Flagged samples are left out; trusted ones carry the trigger and keep their labels.
    case dropAndTransplant = "drop-and-transplant"
    /// Flagged samples learn their restored labels.
    case restore
    /// Flagged samples are left out.
    case drop

    package var restores: Bool { self == .restoreAndTransplant || self == .restore }
    package var transplants: Bool { self == .restoreAndTransplant || self == .dropAndTransplant }

    /// What the evidence calls for, and what comes after it where that fails its gate.
    ///
    /// Restoring corrects the data, transplanting the function. Clean-label poison has no other label to be restored, and
    /// what was found in the penultimate layer alone has nothing to be transplanted.
    package static func fitting(_ targets: [ClassFinding]) -> [Treatment] {
        // Without a target, flagged samples were named by people.
        let restorable = targets.isEmpty || targets.contains { !$0.isCleanLabel }
        let transplantable = targets.contains { $0.trigger != nil || $0.styleTransplant != nil }
        let inOrder: [Treatment] = [.restoreAndTransplant, .dropAndTransplant, .restore, .drop]
        return inOrder.filter {
            ($0.restores ? restorable : true) && ($0.transplants ? transplantable : true)
        }
    }

    package var words: String {
        switch self {
        case .restoreAndTransplant: "restored labels and a transplanted trigger"
        case .dropAndTransplant: "a transplanted trigger, without the flagged samples"
        case .restore: "restored labels"
        case .drop: "fine-tuning without the flagged samples"
        }
    }
}
