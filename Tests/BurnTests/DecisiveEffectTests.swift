import Execution
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// The effect that a trigger is known by, with random directions tried for some forms alone.
@Suite struct DecisiveEffectTests {
    private let known: PlantedPixels
    private let search: TriggerSearch

    init() throws {
        known = try PlantedPixels()
        let store = try PerturbationStore(
            path: known.folder.file("gradients"), samples: known.images.count, values: PlantedPixels.values)
        search = try TriggerSearch(
            model: known.model, images: known.images, labelled: LabelledSamples(of: known.images),
            table: known.table, store: store, judge: .standard, seed: 3, token: CancellationToken())
    }

    /// A trigger that is the pixel, with a boundary form of so much of it.
    private func trigger(boundary share: Double) throws -> TriggerEstimate {
        var pattern = [Float](repeating: 0, count: PlantedPixels.values)
        for channel in 0..<3 { pattern[36 * channel] = Float(share) }
        return try TriggerEstimate(
            TriggerMaterial(
                boundary: Tensor(pattern, shape: [3, PlantedPixels.side, PlantedPixels.side]),
                suspects: Moments(known.images, known.planted),
                reference: Moments(known.images, known.ordinary),
                lowest: known.images.lowest, highest: known.images.highest))
    }

    /// What was asked of some probes is not asked of them again.
    @Test func isExtendedToFurtherProbes() throws {
        let trigger = try trigger(boundary: 0.1)
        let probes = Array(known.ordinary.prefix(200))
        let passes = known.model.passes
        for form in trigger.forms {
            let all = try search.responses(to: trigger, in: [form], probes: probes, seed: nil)
            let start = passes.count.forwards
            let some = try search.responses(
                to: trigger, in: [form], probes: Array(probes.prefix(80)), seed: nil)
            let both = try some.map {
                try $0.extended(
                    of: trigger, by: Array(probes.dropFirst(80)), images: known.images, model: known.model,
                    token: CancellationToken())
            }
            #expect(passes.count.forwards - start == 200)
            #expect(
                both.map(\.triggered) == all.map(\.triggered) && some.map(\.triggered) != all.map(\.triggered)
            )
        }
    }

    /// The same as with a random direction beside every form, for less.
    @Test(arguments: [0.02, 0.1, 0.4]) func isTheSameAsBesideAllRandomDirections(boundary: Double) throws {
        let trigger = try trigger(boundary: boundary)
        let probes = Array(known.ordinary.prefix(200))
        let passes = known.model.passes
        let start = passes.count.forwards
        let all = try trigger.forms.map { form in
            try #require(
                try search.responses(to: trigger, in: [form], probes: probes, seed: search.seed).first
            ).effect(into: 0)
        }
        let middle = passes.count.forwards
        let found = try #require(
            try search.decisive(
                trigger, search.responses(to: trigger, in: trigger.forms, probes: probes, seed: nil), probes,
                0))
        let end = passes.count.forwards
        let expected = try #require(TriggerEffect.decisive(all, search.judge.parameters))
        #expect(found.form == expected.form && found.excess == expected.excess)
        #expect(found.random == expected.random)
        #expect(end - middle < middle - start)
        for effect in all { #expect(effect.excess <= effect.mostExcess) }
    }
}
