/// Flagged samples are left out; trusted ones carry the trigger and keep their labels.
struct DropAndTransplant: Treatment {
    let name = "drop-and-transplant"
    let words = "a transplanted trigger, without the flagged samples"
    let restores = false

    func applies(to targets: [Backdoor]) -> Bool { Treatments.canTransplant(targets) }

    func material(from all: TrainingMaterial) -> TrainingMaterial {
        TrainingMaterial(restored: nil, transplant: all.transplant)
    }
}
