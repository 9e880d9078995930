import Findings

/// Where one pattern sends the images of every class, and whether the labels of the samples that carry it agree.
///
/// A natural pattern moves images of many classes into the same few, if any, and its images have true labels. A
/// backdoor into several classes has a source of its own for each of them. Where the model hardly learned it, the
/// labels of the samples with the pattern contradict what the model sees in them.
struct LabelMap {
    /// By destination: the effect of the pattern, in the form that works on most destinations.
    private(set) var effects: [Int: TriggerEffect]
    /// Destinations work, each from a source of its own.
    let isWorking: Bool
    /// The destinations that work are most of all labels.
    var isIntoMost: Bool { isWorking && 2 * effects.count > labels }
    private let labels: Int
    /// Most labels in the bundle contradict the model, unlike elsewhere.
    let isContradicted: Bool

    init(
        responses: [TriggerResponse], bundle: ImageBundle, images: LabelledImages, labelled: LabelledSamples,
        table: AnalysisTable, parameters: Parameters
    ) {
        // In order, so that sums are the same in every run.
        let labels = Set(images.labels).sorted()
        self.labels = labels.count
        let maps = responses.map { response in
            Dictionary(uniqueKeysWithValues: labels.map { ($0, response.effect(into: $0)) })
        }
        func working(_ map: [Int: TriggerEffect]) -> [Int: TriggerEffect] {
            map.filter { $0.value.topSourceExcess >= parameters.workingEffect }
        }
        func strength(_ map: [Int: TriggerEffect]) -> (Int, Double) {
            (working(map).count, labels.reduce(0) { $0 + (map[$1]?.topSourceExcess ?? 0) })
        }
        let strongest = maps.max { strength($0) < strength($1) } ?? [:]
        // As for a single class (`TriggerEffect.decisive`).
        let exact = zip(responses, maps).filter(\.0.form.isExact).map(\.1).max {
            strength($0) < strength($1)
        }
        let best =
            exact.flatMap { map in
                let (own, largest) = (strength(map), strength(strongest))
                return own.0 >= largest.0 && own.1 >= parameters.exactPreference * largest.1 ? map : nil
            } ?? strongest
        let destinations = working(best)
        let sources = Set(destinations.values.map(\.topSource))
        isWorking =
            Double(destinations.count) >= parameters.fewestDestinations
            && Double(sources.count) >= parameters.clearMajority * Double(destinations.count)
        let members = Set(bundle.members)
        let wrong = Set(labelled.all.filter { Int(table.predicted[$0]) != images.labels[$0] })
        let inside = Double(members.intersection(wrong).count) / Double(max(members.count, 1))
        let outside =
            Double(wrong.subtracting(members).count) / Double(max(labelled.all.count - members.count, 1))
        isContradicted = inside > parameters.mostlyContradicted && inside > 2 * outside
        let planted = Dictionary(grouping: members.intersection(wrong)) { images.labels[$0] }
            .filter { $0.value.count >= Int(parameters.smallestGroup) }
        effects =
            isWorking ? destinations : isContradicted ? best.filter { planted[$0.key] != nil } : [:]
    }

    /// Two kinds of evidence make a backdoor: a pattern that stands apart, and a model that follows it.
    ///
    /// - Parameter persists: the labels are contradicted without the pattern as well. Where they are not, the pattern disturbs
    ///   the model, as a date stamp does, and what is below it has its true label.
    func judgement(pValue: Double, persists: Bool, _ judge: Judge) -> Conclusion.Judgement {
        switch pValue {
        case ..<judge.certainOfAll:
            isWorking ? .backdoored : isContradicted && persists ? .suspicious : .clean
        case ..<judge.unusualOfAll: isWorking ? .suspicious : .clean
        default: .clean
        }
    }
}

/// Evidence on a pattern in images of all classes as a whole.
struct CommonPattern: Sendable {
    /// Of the bundle, for all that were looked at, and of the way back.
    var pValue: Double
    /// Nil for a pattern that does not work.
    var wayBack: WayBack?
}
