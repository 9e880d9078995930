import Findings
import Tensors

/// One way to part a model from its backdoor: what a fine-tuning takes of all that there is to train on.
package protocol Treatment: Sendable {
    /// Kept beside checkpoints.
    var name: String { get }
    /// What was done, in words.
    var words: String { get }
    /// Whether what was found allows it. Without targets, flagged samples were named by people.
    func applies(to targets: [Backdoor]) -> Bool
    func material(from all: TrainingMaterial) -> TrainingMaterial
    /// Whether true labels are taught against the trigger.
    var restores: Bool { get }
}

extension Treatment {
    /// Of the first attempt. A trigger whose samples are left out is unlearned by what it is transplanted into alone, which takes a
    /// higher rate and more images: with lower ones 6.6 % of a clean-label trigger (`sig`) were left, with these 3.8 %. With a higher rate than
    /// it takes, more of what the suspicious model knows of the held-out samples is lost.
    var learningRate: Double { restores ? 0.005 : 0.02 }
    /// Of the first round of refinement.
    var refinementRate: Double { restores ? 0.005 : 0.01 }
    /// Images of a step.
    var batch: Int { restores ? BatchSizes.ofPurification : BatchSizes.ofPurificationByTransplants }
}

/// What a fine-tuning is given beside the trusted samples.
package struct TrainingMaterial {
    /// Of every flagged sample; nil where these are left out.
    var restored: SoftLabels?
    /// Triggers that trusted samples carry while they keep their labels.
    var transplant: Transplant
}

package enum Treatments {
    /// In the order in which they are tried.
    package static let all: [any Treatment] = [
        RestoreAndTransplant(), DropAndTransplant(), Restore(), Drop(),
    ]

    /// What the evidence calls for, and what comes after it where that fails its gate. Never empty.
    package static func fitting(
        _ targets: [Backdoor], method: JobOptions.Method = .full
    ) -> [any Treatment] {
        switch method {
        case .full: all.filter { $0.applies(to: targets) }
        case .published: [Restore()]
        }
    }

    package static func named(_ name: String) -> (any Treatment)? { all.first { $0.name == name } }

    /// Labels that may be true are not restored.
    static func canRestore(_ targets: [Backdoor]) -> Bool {
        targets.isEmpty || targets.contains { !$0.keepsLabels }
    }

    /// What was found in the penultimate layer alone has nothing to be transplanted.
    static func canTransplant(_ targets: [Backdoor]) -> Bool {
        targets.contains { $0.trigger != nil }
    }
}
