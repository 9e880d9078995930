import Support
import Tensors

/// The trigger of one pattern in images of all classes.
extension TriggerSearch {
    /// The trigger that all of `suspects` carry, whatever their classes, and the model's responses to it: of all probes in the forms
    /// that may work into several classes by the first ones, or of the first ones where none does.
    func shared(by suspects: [Int]) throws -> (trigger: TriggerEstimate, responses: [TriggerResponse])? {
        var random = SplitMix64(seed: seed)
        let trusted = trusted(apartFrom: Set(suspects), using: &random)
        guard trusted.count >= Self.probesOfAll else { return nil }
        let cluster = Array(suspects.shuffled(using: &random).prefix(Self.mostForEstimate)).sorted()
        let reference = Array(trusted.dropFirst(Self.probesOfAll).prefix(Self.mostForEstimate))
        guard reference.count >= ClassCoherence.fewestMembers else { return nil }
        let trigger = try TriggerEstimate(
            material(boundaryPattern(cluster), Moments(images, cluster), Moments(images, reference)))
        let probes = Array(trusted.prefix(Self.probesOfAll))
        let first = Array(probes.prefix(Self.screenedOfSource * images.classes))
        guard first.count < probes.count else {
            return (trigger, try responses(to: trigger, in: trigger.forms, probes: probes, seed: seed))
        }
        let moved = strongestFirst(try responses(to: trigger, in: trigger.forms, probes: first, seed: nil))
        let working = moved.filter { Double($0.destinations) >= judge.parameters.fewestDestinations }
        guard !working.isEmpty else {
            let strongest = moved.prefix(1).map(\.form)
            return (trigger, try responses(to: trigger, in: strongest, probes: first, seed: seed))
        }
        let exact = working.first(where: \.form.isExact)?.form
        let others = working.map(\.form).filter { $0 != exact }.prefix(Self.formsBeyondScreen)
        return (
            trigger,
            try responses(
                to: trigger, in: others + [exact].compactMap(\.self), probes: probes, seed: seed)
        )
    }

    /// Classes that the trigger seems to work into, from some other one, and the sum over all of what is sent there of that.
    private func strongestFirst(
        _ responses: [TriggerResponse]
    ) -> [(form: TriggerForm, destinations: Int, all: Double)] {
        let labels = Set(images.labels).sorted()
        return responses.map { response in
            let rates = labels.map {
                response.effect(into: $0, fewestOfSource: Self.screenedOfSource / 4).topSourceRate
            }
            return (
                response.form, rates.count { $0 >= judge.parameters.workingEffect / 2 }, rates.reduce(0, +)
            )
        }.sorted { $0.all > $1.all }
    }

    /// Of what moves a quarter of one class's images, hardly ever fewer than half as many of so many.
    static let screenedOfSource = 24
    /// Images of all classes that a pattern of all is tried on.
    static let probesOfAll = 768
}
