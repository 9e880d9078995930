import Support

/// Patterns behind a label.
extension ImageSearch {
    /// Looks for one in every class, and judges them against each other. Of very many classes what it does is asked of the clearest:
    /// what stands apart no more than others do is no trigger, whatever it does.
    func examineClasses(_ findings: inout [ClassFinding]) throws {
        let asked = findings.indices.filter { findings[$0].judgement == .clean }
        var others = [PatternGain?](repeating: nil, count: findings.count)
        var chosen = asked
        if asked.count > Judge.mostTested {
            let known = asked.map { findings[$0] }
            let gains = try pool.map(known.count) { try gain(of: known[$0]) }
            for (index, gain) in zip(asked, gains) { others[index] = gain }
            chosen = BundleComparison(others).clearest(most: Judge.mostTested)
        }
        let known = chosen.map { findings[$0] }
        // Grown again where the gains are known: what has grown in all classes would take too much memory.
        let found = try pool.map(known.count) { try propose(known[$0], growths(of: known[$0])) }
        var proposals = [PatternProposal?](repeating: nil, count: findings.count)
        for (index, proposal) in zip(chosen, found) {
            proposals[index] = proposal
            others[index] = nil
        }
        for index in others.indices where others[index] != nil { findings[index].isPassedOver = true }
        let comparison = PatternComparison(
            proposals,
            insertions: findings.indices.map {
                others[$0] == nil ? proposals[$0]?.finding.excess ?? 0 : nil
            }, others: others)
        for (index, proposal) in proposals.enumerated() {
            guard let proposal else { continue }
            findings[index] = proposal.finding
            let evidence = comparison.evidence(index, proposal)
            findings[index].pattern = evidence
            findings[index].judge(by: evidence)
        }
    }

    /// Of the pattern that stands apart most; nil where none does.
    private func gain(of finding: ClassFinding) throws -> PatternGain? {
        try growths(of: finding).map(\.gain).max().map {
            PatternGain(gain: $0, classSize: labelled.count(of: finding.label))
        }
    }

    /// All samples of a class are a start, those that the model sees another class in, and each mode of their penultimate changes.
    private func growths(of finding: ClassFinding) throws -> [ImageBundle.Growth] {
        let label = finding.label
        var starts = [labelled[label]]
        if let features = finding.features?.coherence {
            starts += [features.cluster, features.remainder].map { side in
                side.filter { images.labels[$0] == label }
            }
        }
        starts.append(starts[0].filter { Int(table.predicted[$0]) != label })
        return try starts.compactMap { try growth($0, label) }
    }

    /// The pattern of a class that does most. Nil where none stands apart.
    private func propose(
        _ finding: ClassFinding, _ growths: [ImageBundle.Growth]
    ) throws -> PatternProposal? {
        let bundles = Self.distinct(
            try growths.map {
                try token.check()
                return try $0.bundle(of: images.count, in: store)
            }, most: Self.bundlesOfClass)
        var proposals: [PatternProposal] = []
        for bundle in bundles {
            let carriers = bundle.members(labelled: finding.label, in: images)
            guard carriers.count >= judge.smallestGroup else { continue }
            var proposed = finding
            proposed.images = bundle
            try triggers.examine(&proposed, suspects: carriers, care: .screenedForNull)
            proposals.append(
                PatternProposal(
                    finding: proposed, bundle: bundle, carriers: Set(carriers),
                    classSize: labelled.count(of: finding.label)))
        }
        return proposals.max { $0.strength < $1.strength }
    }

    private static let bundlesOfClass = 2

    /// Grown among the class's samples and about as many others, so that a bundle may take up the whole class.
    func growth(_ start: [Int], _ label: Int) throws -> ImageBundle.Growth? {
        try token.check()
        let own = labelled[label]
        let beside = labelled.others(than: label, atLeast: max(own.count, 4 * judge.smallestGroup))
        return try ImageBundle.Growth(
            from: start, among: own + beside, store: store, parameters: judge.parameters,
            seed: seed &+ UInt64(label))
    }
}
