/// Which of several backdoors a flagged sample was planted for: where a class has more than one, the one that it was flagged for, or
/// whose trigger it most likely carries.
struct TargetOfSample: Sendable {
    /// By label, the places of its backdoors.
    private let places: [Int: [Int]]
    private let carriers: [[Int: Double]]
    /// Of what was flagged for one of several.
    private let known: [Int: Int]

    init(_ backdoors: [Backdoor]) {
        places = Dictionary(grouping: backdoors.indices) { backdoors[$0].label }
        carriers = backdoors.map(\.carriers)
        var known: [Int: Int] = [:]
        for (place, backdoor) in backdoors.enumerated() {
            for sample in backdoor.planted { known[sample] = place }
        }
        self.known = known
    }

    /// Nil where nothing was planted into the class.
    func place(of sample: Int, labelled label: Int) -> Int? {
        guard let own = places[label], own.count > 1 else { return places[label]?.first }
        return known[sample]
            ?? own.max { carriers[$0][sample, default: 0] < carriers[$1][sample, default: 0] }
    }
}
