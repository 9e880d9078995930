import Execution
import Findings
import Tensors

/// Looks for a backdoor in the penultimate layer where the input shows none.
struct FeatureSearch {
    let model: GraphModel
    let images: LabelledImages
    let boundary: BoundaryAnalysis
    /// Of the samples that were surveyed.
    let changes: FeatureChanges
    let judge: Judge
    let seed: UInt64
    let pool: WorkerPool
    let token: CancellationToken

    /// Fills in `features`.
    func gather(_ findings: inout [ClassFinding]) throws {
        let members = findings.map { $0.coherence?.members ?? [] }
        let coherences = try pool.map(findings.count) { label in
            guard members[label].count >= ClassCoherence.fewestMembers else { return ClassCoherence?.none }
            return try ClassCoherence(
                members: members[label], store: changes.store, parameters: judge.parameters,
                seed: seed &+ 0xfea7 &+ UInt64(label))
        }
        for (index, evidence) in FeatureEvidence.gather(coherences).enumerated() {
            findings[index].features = evidence
        }
    }

    /// Judges the classes whose bundle stands out.
    func examine(_ findings: inout [ClassFinding]) throws {
        let candidates = candidates(findings).sorted { pValue(findings[$0]) < pValue(findings[$1]) }
        guard !candidates.isEmpty else { return }
        // The unsuspicious classes with the clearest bundles: the hardest null there is.
        let others = findings.indices.filter { !candidates.contains($0) && findings[$0].features != nil }
            .sorted { pValue(findings[$0]) < pValue(findings[$1]) }
        let test = try UnlearningTest(
            model: model, images: images, boundary: boundary, seed: seed, token: token)
        var null: [[UnlearningTest.Side?]] = []
        for index in others where null.count < UnlearningTest.nullClasses {
            guard let evidence = findings[index].features else { continue }
            let sides = try test.sides(of: evidence.coherence, label: findings[index].label)
            if sides.contains(where: { $0 != nil }) { null.append(sides) }
        }
        // Without two to compare with, nothing can be said, and training for it would be in vain.
        guard null.count > 1 else { return }
        for index in candidates {
            try complete(&findings[index])
            guard let evidence = findings[index].features else { continue }
            let label = findings[index].label
            let sides = try test.sides(of: evidence.coherence, label: label)
            guard let planted = UnlearningTest.plantedSide(of: sides, against: null),
                let outcome = try test.run(label: label, suspects: planted.suspects, folds: 2)
            else { continue }
            findings[index].features?.unlearning = outcome
            findings[index].features?.unlearningPValue = planted.pValue
            findings[index].judgeByFeatures(
                concentration: try concentration(outcome.leaving))
            if findings[index].isFoundByFeatures,
                let sharper = try test.run(
                    label: findings[index].label, suspects: outcome.leaving, folds: 2)
            {
                // What left the class is a better list of suspects than the bundle: once more, with it.
                findings[index].features?.unlearning?.leaving = sharper.leaving
            }
        }
    }

    /// Takes in what the survey left out of the class.
    private func complete(_ finding: inout ClassFinding) throws {
        let known = boundary.table
        let members = known.predicted.indices.filter { Int(known.predicted[$0]) == finding.label }
        let left = members.filter { !known.isSurveyed($0) }
        guard !left.isEmpty else { return }
        try boundary.complete(left)
        var changes = changes
        changes.steps.table = boundary.table
        try changes.write(left)
        if let features = finding.features {
            finding.features?.coherence = try features.coherence.extended(
                to: members, store: changes.store)
        }
    }

    /// Classes whose bundle stands out.
    func candidates(_ findings: [ClassFinding]) -> [Int] {
        findings.indices.filter { findings[$0].features?.isWorthTesting(judge) ?? false }
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
