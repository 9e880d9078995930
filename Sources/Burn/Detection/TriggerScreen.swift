import Execution
import Support
import Tensors

/// What a trigger does where it is put in: first on a few probes, in the forms that do most, then on all of them where that is more than
/// hardly anything.
extension TriggerSearch {
    /// Probes of a test: enough of each class to tell one that is moved by itself, as far as that many suffice.
    static func probes(of classes: Int) -> Int { min(mostProbes, max(fewestProbes, 24 * classes)) }
    /// A quarter of them, moved, is told to 3 %.
    private static let fewestProbes = 192
    static let mostProbes = 384
    /// A trigger that moves a tenth of the images moves fewer than two of so many in one of a hundred cases.
    static let probesOfScreen = 64
    /// One that moves one class's images alone needs some of each, as far as there are probes for so many classes.
    static let screenedOfClass = 8
    static func screened(of classes: Int) -> Int {
        screenedOfClass * classes <= mostProbes
            ? max(probesOfScreen, screenedOfClass * classes) : probesOfScreen
    }
    private static let fewestMoved = 1.5
    /// Forms that go on to all probes, and the best exact one beside them: that is taken where it does nearly as much. More than
    /// one, since the few probes of a single source tell little.
    static let formsBeyondScreen = 2

    /// Tries the mechanisms on the first probes, each at its strongest, and at its other strengths where it moves more than hardly
    /// any. Where none does, the random direction is tried for the one that moves most; that is the effect then.
    /// - Returns: what the forms that may turn out to be the decisive one do to the probes; none where hardly any is moved.
    func screen(
        _ finding: inout ClassFinding, _ trigger: TriggerEstimate, on first: [Int]
    ) throws -> [TriggerResponse] {
        let label = finding.label
        func effects(of forms: [TriggerForm]) throws -> [(response: TriggerResponse, effect: TriggerEffect)] {
            try responses(to: trigger, in: forms, probes: first, seed: nil).map {
                ($0, $0.effect(into: label, fewestOfSource: Self.screenedOfClass / 2))
            }
        }
        let strongest = try effects(of: trigger.screenedForms)
        let moving = strongest.map(\.effect).filter { $0.rate * Double(first.count) >= Self.fewestMoved }
        guard moving.isEmpty else {
            let mechanisms = Set(moving.map(\.form.mechanism))
            let screened = Set(trigger.screenedForms)
            let weaker = trigger.forms.filter {
                mechanisms.contains($0.mechanism) && !screened.contains($0)
            }
            let tried =
                strongest.filter { mechanisms.contains($0.effect.form.mechanism) } + (try effects(of: weaker))
            let all = tried.sorted { $0.effect.excess > $1.effect.excess }.map(\.response)
            let exact = all.first(where: \.form.isExact)
            let others = all.filter { $0.form != exact?.form }.prefix(Self.formsBeyondScreen)
            return others + [exact].compactMap { $0 }
        }
        finding.effect = try strongest.max { $0.effect.excess < $1.effect.excess }.map {
            try controlled($0.response, of: trigger, on: first, label).effect(into: label)
        }
        return []
    }

    /// The effect that the trigger is known by. The random direction is tried for forms that may turn out to be that one alone: beyond
    /// chance, none does more than it does.
    /// - Parameter responses: of all the probes.
    func decisive(
        _ trigger: TriggerEstimate, _ responses: [TriggerResponse], _ probes: [Int], _ label: Int
    ) throws -> TriggerEffect? {
        var left = responses.map { (response: $0, most: $0.effect(into: label).mostExcess) }
            .sorted { $0.most > $1.most }
        var known: [TriggerEffect] = []
        func isOpen(_ form: TriggerForm, _ most: Double) -> Bool {
            func isBest(_ effects: [TriggerEffect]) -> Bool {
                effects.allSatisfy { $0.excess < most }
            }
            // Below that, an exact form is not preferred.
            let least = max(
                judge.parameters.workingEffect,
                judge.parameters.exactPreference * (known.map(\.excess).max() ?? 0))
            let mayBeExact = form.isExact && most >= least
            return isBest(known) || (mayBeExact && isBest(known.filter(\.form.isExact)))
        }
        while let place = left.firstIndex(where: { isOpen($0.response.form, $0.most) }) {
            let response = left.remove(at: place).response
            known.append(try controlled(response, of: trigger, on: probes, label).effect(into: label))
        }
        return TriggerEffect.decisive(known, judge.parameters)
    }

    /// The same beside a random direction, which is the same for all forms.
    private func controlled(
        _ response: TriggerResponse, of trigger: TriggerEstimate, on probes: [Int], _ label: Int
    ) throws -> TriggerResponse {
        try response.controlled(
            of: trigger, probes: probes, images: images, model: model,
            generator: Generator(seed: seed &+ UInt64(label)), token: token)
    }

    /// - Parameter seed: of the random directions; nil leaves these out.
    func responses(
        to trigger: TriggerEstimate, in forms: [TriggerForm], probes: [Int], seed: UInt64?
    ) throws -> [TriggerResponse] {
        let generator = try seed.map { try Generator(seed: $0) }
        return try forms.map { form in
            let response = try TriggerResponse.measure(
                form, of: trigger, probes: probes, images: images, model: model, token: token)
            return try generator.map {
                try response.controlled(
                    of: trigger, probes: probes, images: images, model: model, generator: $0, token: token)
            } ?? response
        }
    }
}
