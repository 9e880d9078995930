/// Flagged samples are left out.
struct Drop: Treatment {
    let name = "drop"
    let words = "fine-tuning without the flagged samples"
    let restores = false

    func applies(to targets: [Backdoor]) -> Bool { true }

    func material(from all: TrainingMaterial) -> TrainingMaterial {
        TrainingMaterial(restored: nil, transplant: .none)
    }
}
