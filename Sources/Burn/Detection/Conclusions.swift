import Support

/// What is asked once nothing more is found: of the labels of what was planted, and of what might have been missed.
extension Detection {
    /// Tells whether what was planted has its true labels.
    func readLabels(_ outcome: inout Outcome, _ search: TriggerSearch) throws {
        let targets = outcome.findings.indices.filter { outcome.findings[$0].isTarget }
        let affected = Set(targets.map { outcome.findings[$0].label })
        var sizes = [Int](repeating: 0, count: images.classes)
        var planted: [Int: [Int]] = [:]
        for (sample, label) in images.labels.enumerated() {
            sizes[label] += 1
            if outcome.flagged[sample], affected.contains(label) {
                planted[label, default: []].append(sample)
            }
        }
        func read(_ finding: inout ClassFinding) throws {
            guard finding.isTarget, !finding.isCleanLabel else { return }
            try token.check()
            let evidence = try search.labelEvidence(
                of: finding, planted: planted[finding.label] ?? [], affected: affected, sizes: sizes)
            finding.labels = evidence
            finding.isCleanLabel = evidence.reading(judge.parameters) == .right
        }
        for index in targets {
            try read(&outcome.findings[index])
            for place in outcome.findings[index].further.indices {
                try read(&outcome.findings[index].further[place])
            }
        }
    }

    /// Asks of the classes above suspicion what could have been found in them.
    func measurePower(_ findings: inout [ClassFinding], _ null: CoherenceNull) throws {
        let labelled = LabelledSamples(of: images)
        let members = members(labelled)
        let power = DetectionPower(
            members: members, store: store, null: null, judge: judge, seed: options.methodSeed,
            token: token)
        let sizes = Dictionary(grouping: table.predicted) { Int($0) }.mapValues(\.count)
        let measured = try power.measure(
            findings.filter { $0.judgement == .clean }.map(\.label), sizes: sizes)
        for index in findings.indices {
            findings[index].noticed = measured[findings[index].label]
            findings[index].isInData = labelled.count(of: findings[index].label) > 0
            findings[index].isSearchedFurther =
                images.count >= ImageWhitening.fewestImages
                && (members[findings[index].label]?.count ?? 0) >= 2 * ClassCoherence.fewestMembers
        }
    }
}
