/// Flagged samples learn their restored labels.
struct Restore: Treatment {
    let name = "restore"
    let words = "restored labels"
    let restores = true

    func applies(to targets: [Backdoor]) -> Bool { Treatments.canRestore(targets) }

    func material(from all: TrainingMaterial) -> TrainingMaterial {
        TrainingMaterial(restored: all.restored, transplant: .none)
    }
}
