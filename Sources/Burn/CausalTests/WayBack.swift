import Support
import Tensors

/// What samples show without a pattern that works: where they were planted with it, the class whose images it sends to
/// their label; where it is theirs by nature, their label. So a trigger for every class is told from what changes images
/// so much that they are taken for another class.
struct WayBack: Sendable {
    /// Shares of samples with and without the pattern that show that class once it is taken out.
    var carriers: Double
    var others: Double
    /// That the carriers do so no more often; 1 where they clearly don't.
    var pValue: Double

    private static let mostOfSide = 512

    /// - Parameter map: where the trigger sends which class. Samples with those labels are asked about.
    static func measure(
        of trigger: TriggerEstimate, on bundle: ImageBundle, map: LabelMap, search: TriggerSearch
    ) throws -> WayBack {
        let labels = search.images.labels
        var random = SplitMix64(seed: search.seed)
        let carriers = Set(bundle.members)
        let known = search.labelled.all.filter { map.effects[labels[$0]] != nil }.shuffled(using: &random)
        func returning(_ isCarrier: Bool) throws -> (hits: Int, total: Int) {
            let samples = Array(known.filter { carriers.contains($0) == isCarrier }.prefix(mostOfSide))
            let seen = try search.predictions(samples, without: trigger)
            return (zip(samples, seen).count { $1 == map.effects[labels[$0]]?.topSource }, samples.count)
        }
        let (inside, outside) = try (returning(true), returning(false))
        let shares = (
            carriers: Statistics.cautiousShare(inside.hits, of: inside.total),
            others: Statistics.cautiousShare(outside.hits, of: outside.total)
        )
        let isClear = shares.carriers - shares.others >= search.judge.parameters.workingEffect
        return WayBack(
            carriers: shares.carriers, others: shares.others,
            pValue: isClear
                ? Statistics.pValue(
                    of: inside.hits, of: inside.total, against: outside.hits, of: outside.total) : 1)
    }
}
