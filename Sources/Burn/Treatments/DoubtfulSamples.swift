/// Flagged samples that a purification does not learn from before it knows better.
///
/// A model that has learned the restored labels of its flagged samples says nothing about them any more: what was flagged by
/// mistake would keep a wrong label, and its class would lose what looks like it. So the surer half of what was flagged for a
/// backdoor is learned from, and phase 2 asks the model that comes of it about the other half. What is cleared keeps its label, and is
/// never trained on: an image of the target's own class may carry the trigger and be labelled right.
extension TrainingPool {
    /// Fewer are not parted: their controls would prove nothing.
    private static let fewest = 64
    /// One in so many of the surer half is a control, up to a number.
    private static let controlled = 4
    private static let mostControls = 64

    /// - Parameter table: of the suspicious model.
    mutating func putOffDoubtful(
        _ backdoors: [Backdoor], table: AnalysisTable, labels: [Int], reviews: Reviews
    ) {
        let owners = TargetOfSample(backdoors)
        let groups = Dictionary(grouping: poison) { owners.place(of: $0, labelled: labels[$0]) }
        for (place, samples) in groups {
            // What a trigger does has to be known, so that its absence shows.
            guard let backdoor = place.map({ backdoors[$0] }), backdoor.isEstimated, !backdoor.keepsLabels,
                // Of several, a sample may carry another one.
                backdoors.count(where: { $0.label == backdoor.label }) == 1
            else { continue }
            let parted = samples.filter { !reviews.isAccepted($0) }
            guard parted.count >= Self.fewest else { continue }
            func belief(_ sample: Int) -> Double { backdoor.carriers[sample, default: 0] }
            let median = parted.map(belief).sorted()[parted.count / 2]
            let (sure, unsure) = (
                parted.filter { belief($0) >= median }, parted.filter { belief($0) < median }
            )
            guard !unsure.isEmpty else { continue }
            doubtful += unsure
            // What the suspicious model sees otherwise has nothing to lose.
            let seen = sure.filter { Int(table.predicted[$0]) == labels[$0] }
            controls += stride(from: 0, to: seen.count, by: Self.controlled).prefix(Self.mostControls)
                .map { seen[$0] }
        }
        doubtful.sort()
        controls.sort()
        let putOff = Set(doubtful)
        poison.removeAll(where: putOff.contains)
    }

    /// What the diagnosis flagged, as it is seen by now.
    func flags(_ diagnosed: [Bool]) -> [Bool] {
        var flags = diagnosed
        for sample in cleared { flags[sample] = false }
        for sample in poison + doubtful { flags[sample] = true }
        return flags
    }
}
