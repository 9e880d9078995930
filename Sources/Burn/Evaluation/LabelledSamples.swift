/// The samples that a search looks at, and which of them have which label, so that nothing has to go through all samples for
/// every class.
///
/// What was found to be planted is set aside before more is looked for: it would be found again, and what it hides would not be.
struct LabelledSamples: Sendable {
    /// Ascending.
    let all: [Int]
    private let isSetAside: [Bool]
    /// By label, the places in `all` of its samples, ascending.
    private let places: [[Int]]

    init(_ labels: [Int], classes: Int, apartFrom setAside: Set<Int> = []) {
        isSetAside = labels.indices.map(setAside.contains)
        all = labels.indices.filter { !setAside.contains($0) }
        var places = [[Int]](repeating: [], count: classes)
        for (place, sample) in all.enumerated() { places[labels[sample]].append(place) }
        self.places = places
    }

    init(of images: LabelledImages, apartFrom setAside: Set<Int> = []) {
        self.init(images.labels, classes: images.classes, apartFrom: setAside)
    }

    /// Ascending.
    subscript(label: Int) -> [Int] { places[label].map { all[$0] } }

    func count(of label: Int) -> Int { places[label].count }

    func contains(_ sample: Int) -> Bool { !isSetAside[sample] }

    /// Samples with other labels, evenly chosen: all of them, or at least `wanted` and fewer than twice as many. Ascending.
    func others(than label: Int, atLeast wanted: Int) -> [Int] {
        let own = places[label]
        let count = all.count - own.count
        var passed = 0
        return stride(from: 0, to: count, by: max(1, count / max(1, wanted))).map { rank in
            // The place that so many of the others come before.
            while passed < own.count, own[passed] - passed <= rank { passed += 1 }
            return all[rank + passed]
        }
    }
}
