import Execution
import Findings
import Tensors

/// Looks for a backdoor in the penultimate layer where the input shows none.
struct FeatureSearch {
    let model: GraphModel
    let images: LabelledImages
    var labelled: LabelledSamples
    let boundary: BoundaryAnalysis
    /// Of the samples that were surveyed.
    let changes: FeatureChanges
    let judge: Judge
    let seed: UInt64
    let pool: WorkerPool
    let token: CancellationToken

    /// Fills in `features`. What was looked at before is compared anew: what was set aside since is no part of the others.
    func gather(_ findings: inout [ClassFinding]) throws {
        let members = findings.map { ($0.coherence?.members ?? []).filter(labelled.contains) }
        let known = findings.map { $0.features?.coherence }
        let coherences = try pool.map(findings.count) { label in
            if let known = known[label] { return ClassCoherence?.some(known) }
            guard members[label].count >= ClassCoherence.fewestMembers else { return nil }
            return try ClassCoherence(
                members: members[label], store: changes.store, parameters: judge.parameters,
                seed: seed &+ 0xfea7 &+ UInt64(label))
        }
        for (index, evidence) in FeatureEvidence.gather(coherences).enumerated() {
            guard let evidence else { continue }
            if findings[index].features?.compare(evidence.gainPValue) == nil {
                findings[index].features = evidence
            }
        }
    }

    /// Judges the classes whose bundle stands out. Training stops where nothing that it may still show would raise a suspicion.
    func examine(_ findings: inout [ClassFinding]) throws {
        let candidates = candidates(findings).sorted { pValue(findings[$0]) < pValue(findings[$1]) }
        // The unsuspicious classes with the clearest bundles: the hardest null there is.
        let others = findings.indices.filter {
            !candidates.contains($0) && findings[$0].features?.isCandidate != true
        }
        .sorted { pValue(findings[$0]) < pValue(findings[$1]) }
        .compactMap { label in findings[label].features.map { (label: label, coherence: $0.coherence) } }
        for index in candidates { findings[index].features?.isCandidate = true }
        var null = UnlearningNull(others)
        let worthTraining = candidates.filter { mayDecide(findings[$0], null) }
        // Without two to compare with, nothing can be said.
        guard !worthTraining.isEmpty, others.count > 1 else { return }
        let test = try UnlearningTest(
            model: model, images: images, labelled: labelled, boundary: boundary, seed: seed, token: token)
        for index in worthTraining {
            guard let evidence = findings[index].features,
                let planted = try plantedSide(of: evidence, label: findings[index].label, test, &null)
            else { continue }
            findings[index].features?.unlearned = (planted.score, planted.pValue)
            guard decides(evidence.gainPValue, planted.pValue) else { continue }
            try complete(&findings[index])
            let whole = findings[index].features?.coherence ?? evidence.coherence
            guard
                let outcome = try test.run(
                    label: findings[index].label,
                    suspects: Set(whole.sides[planted.place]), folds: 2,
                    batch: UnlearningTest.batchForNames)
            else { continue }
            findings[index].features?.unlearning = outcome
            findings[index].judgeByFeatures(
                concentration: try concentration(outcome.leaving))
            if findings[index].isFoundByFeatures,
                let sharper = try test.run(
                    label: findings[index].label, suspects: outcome.leaving, folds: 2,
                    batch: UnlearningTest.batchForNames)
            {
                // What left the class is a better list of suspects than the bundle: once more, with it.
                findings[index].features?.unlearning?.leaving = sharper.leaving
            }
        }
    }

    /// The side that was planted, if one was: the one that is unlearned better.
    /// - Returns: with its p-value against the same side of other classes, times two for having been chosen; nil where no side can
    ///   be compared, and where nothing that is left to train would raise a suspicion.
    private func plantedSide(
        of evidence: FeatureEvidence, label: Int, _ test: UnlearningTest, _ null: inout UnlearningNull
    ) throws -> (place: Int, score: Double, pValue: Double)? {
        let sides = try null.scores.indices.map { try test.side($0, of: evidence.coherence, label: label) }
        let places = sides.indices.sorted { (sides[$0]?.score ?? -1) > (sides[$1]?.score ?? -1) }
        for place in places {
            guard let side = sides[place] else { continue }
            /// Of the side, should its null have so many values: the smallest that is possible.
            func least(of count: Int) -> Double {
                Self.ofBetterSide(
                    UnlearningTest.leastPValue(
                        of: side.score, against: null.scores[place], of: count,
                        suspects: side.asked))
            }
            while decides(evidence.gainPValue, least(of: null.most)), try null.extend(place, by: test) {}
            let found = null.scores[place].count
            // It may be that the other side alone can be compared.
            guard found > 1 else { continue }
            guard found == null.most || null.isExhausted(place) else { return nil }
            return (place, side.score, least(of: found))
        }
        return nil
    }

    /// Whether some result of training would raise a suspicion.
    private func mayDecide(_ finding: ClassFinding, _ null: UnlearningNull) -> Bool {
        let size = min(
            UnlearningTest.mostForScore, boundary.table.predicted.count { Int($0) == finding.label })
        let least = UnlearningTest.leastPValue(
            of: Double(UnlearningTest.mostScore), against: [], of: null.most, suspects: size)
        return decides(pValue(finding), Self.ofBetterSide(least))
    }

    /// The p-value of a side that was chosen of two.
    private static func ofBetterSide(_ pValue: Double) -> Double { min(1, 2 * pValue) }

    private func decides(_ gain: Double, _ unlearning: Double) -> Bool {
        Statistics.combined(gain, unlearning) < judge.unusual
    }

    /// Takes in what the survey left out of the class.
    private func complete(_ finding: inout ClassFinding) throws {
        guard let features = finding.features else { return }
        let known = boundary.table
        let members = labelled.all.filter { Int(known.predicted[$0]) == finding.label }
        // Of what was surveyed since, the changes are not known yet.
        let asked = Set(features.coherence.members)
        let left = members.filter { !asked.contains($0) }
        guard !left.isEmpty else { return }
        try boundary.complete(left.filter { !known.isSurveyed($0) })
        var changes = changes
        changes.steps.table = boundary.table
        try changes.write(left)
        finding.features?.coherence = try features.coherence.extended(to: members, store: changes.store)
    }

    /// Classes whose bundle stands out, and that were not tested before.
    func candidates(_ findings: [ClassFinding]) -> [Int] {
        findings.indices.filter { index in
            findings[index].features.map { !$0.isCandidate && $0.isWorthTesting(judge) } ?? false
        }
    }

    private func pValue(_ finding: ClassFinding) -> Double { finding.features?.gainPValue ?? 1 }

    /// Largest share of one adversarial label among `samples`.
    private func concentration(_ samples: Set<Int>) throws -> Double {
        try boundary.analyse(samples)
        let table = boundary.table
        let counts = Dictionary(grouping: samples) { table.adversarialLabel[$0] }.values.map(\.count)
        return Double(counts.max() ?? 0) / Double(max(samples.count, 1))
    }
}
