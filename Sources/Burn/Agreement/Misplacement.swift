/// Classes that predictions put into other places than the order says: a cycle, each in the place of the next, or a chain that
/// ends in an output without a class.
struct Misplacement: Hashable, Sendable {
    /// Classes in order: each belongs where the next one stands.
    var places: [Int]
    /// The outputs they belong to.
    var outputs: [Int]
    /// Whether the last one belongs where the first one stands.
    var isCycle: Bool

    /// What `order` changes of the current one, group by group.
    static func between(_ current: [Int], and order: [Int]) -> [Misplacement] {
        let owner = Dictionary(current.enumerated().map { ($0.element, $0.offset) }) { first, _ in first }
        let moved = current.indices.filter { current[$0] != order[$0] }
        let wanted = Set(moved.map { order[$0] })
        var seen: Set<Int> = []
        func follow(_ start: Int) -> [Int] {
            var chain: [Int] = []
            var place: Int? = start
            while let here = place, current[here] != order[here], seen.insert(here).inserted {
                chain.append(here)
                place = owner[order[here]]
            }
            return chain
        }
        // Chains begin with a class whose place nobody wants; what is left are cycles.
        let chains = moved.filter { !wanted.contains(current[$0]) }.map { (follow($0), false) }
        let cycles = moved.filter { !seen.contains($0) }.compactMap { place -> ([Int], Bool)? in
            let cycle = follow(place)
            return cycle.isEmpty ? nil : (cycle, true)
        }
        return (chains + cycles).map { places, isCycle in
            Misplacement(places: places, outputs: places.map { order[$0] }, isCycle: isCycle)
        }
    }

    /// How likely predictions would speak for the other places as clearly as they do in `tally`, if on the whole they spoke no
    /// more for them than for the current ones (sign test).
    func pValue(_ tally: AgreementTally) -> Double { Self.pValue(votes(tally)) }

    /// The same of the classes one cannot do without.
    ///
    /// The class that speaks loudest is left out: a model that takes most cats for dogs is weak, and says little about dogs;
    /// where classes changed places, each of them says so. A class by itself, whose place nobody else wants, speaks for itself
    /// where it is predicted as the other output more often than not.
    func guardedPValue(_ tally: AgreementTally) -> Double {
        var votes = votes(tally)
        if votes.count == 1 { return 2 * votes[0].others > tally.samples[places[0]] ? Self.pValue(votes) : 1 }
        if let loudest = votes.indices.max(by: {
            votes[$0].others - votes[$0].own < votes[$1].others - votes[$1].own
        }) {
            votes.remove(at: loudest)
        }
        return Self.pValue(votes)
    }

    private typealias Votes = (others: Int, own: Int)

    private func votes(_ tally: AgreementTally) -> [Votes] {
        zip(places, outputs).map { place, output in
            (others: tally.hits(place, output), own: tally.hits(place, tally.current[place]))
        }
    }

    private static func pValue(_ votes: [Votes]) -> Double {
        let others = votes.reduce(0) { $0 + $1.others }
        return Statistics.binomialTail(others, of: others + votes.reduce(0) { $0 + $1.own }, rate: 0.5)
    }
}
