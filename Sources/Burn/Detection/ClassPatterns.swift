import Support

/// Patterns behind a label.
extension ImageSearch {
    /// Looks for one in every class, and judges them against each other. Of very many classes what it does is asked of the clearest:
    /// what stands apart no more than others do is no trigger, whatever it does.
    ///
    /// A class that was asked before is known, and is judged anew: what was set aside since is no part of what it is compared with.
    func examineClasses(_ findings: inout [ClassFinding]) throws {
        try lookForPatterns(&findings)
        let comparison = PatternComparison(findings.map { $0.patternLook?.record })
        for index in findings.indices where findings[index].judgement == .clean {
            guard var look = findings[index].patternLook, let whole = look.whole else { continue }
            let evidence = comparison.evidence(index, whole)
            findings[index].adopt(whole, evidence)
            // What is known for certain as it is may as well be taken as it is.
            let isKnown =
                findings[index].judgement == .backdoored
                && whole.finding.bothWays >= judge.parameters.decisiveEffect
            guard !isKnown, evidence.bundlePValue < judge.notable else { continue }
            if !look.isParted {
                (look.part, look.isParted) = (try part(of: findings[index]), true)
                findings[index].patternLook = look
            }
            guard let part = look.part, part.strength > whole.strength else { continue }
            var records = findings.map { $0.patternLook?.record }
            records[index] = PatternRecord(part)
            var ofPart = findings[index]
            ofPart.retract()
            ofPart.adopt(part, PatternComparison(records).evidence(index, part))
            if ofPart.judgement >= findings[index].judgement { findings[index] = ofPart }
        }
    }

    /// Asks the clean classes that were not asked yet.
    private func lookForPatterns(_ findings: inout [ClassFinding]) throws {
        let asked = findings.indices.filter {
            findings[$0].judgement == .clean && findings[$0].patternLook == nil
        }
        var chosen = asked
        if asked.count > Judge.mostTested {
            let known = asked.map { findings[$0] }
            let gains = try pool.map(known.count) { try gain(of: known[$0]) }
            chosen = BundleComparison(gains).clearest(most: Judge.mostTested).map { asked[$0] }
            let isChosen = Set(chosen)
            for (index, gain) in zip(asked, gains) where !isChosen.contains(index) {
                findings[index].patternLook = PatternLook(gain: gain)
                findings[index].isPassedOver = gain != nil
            }
        }
        let known = chosen.map { findings[$0] }
        // Grown again where the gains are known: what has grown in all classes would take too much memory.
        let found = try pool.map(known.count) { try propose(known[$0], growths(of: known[$0])) }
        for (index, proposal) in zip(chosen, found) { findings[index].patternLook = PatternLook(proposal) }
    }

    /// The part of a class's patterns that does most; nil where none has parts.
    private func part(of finding: ClassFinding) throws -> PatternProposal? {
        try propose(finding, growths(of: finding).compactMap { try $0.part(in: store, judge.parameters) })
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
        var proposals: [PatternProposal] = []
        let bundles = try growths.map {
            try token.check()
            return try $0.bundle(of: images.count, in: store)
        }
        for bundle in Self.distinct(bundles, most: Self.bundlesOfClass) {
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
