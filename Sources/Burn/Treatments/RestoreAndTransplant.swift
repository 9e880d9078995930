/// Flagged samples learn their restored labels, which corrects the data; trusted ones carry the trigger and keep theirs, which
/// corrects the function. Together they beat either.
struct RestoreAndTransplant: Treatment {
    let name = "restore-and-transplant"
    let words = "restored labels and a transplanted trigger"
    let restores = true

    func applies(to targets: [Backdoor]) -> Bool {
        Treatments.canRestore(targets) && Treatments.canTransplant(targets)
    }

    func material(from all: TrainingMaterial) -> TrainingMaterial { all }
}
