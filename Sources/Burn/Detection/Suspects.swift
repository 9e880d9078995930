import Support
import Tensors

/// What is looked at more closely once classes are under suspicion, and beside them.
extension Detection {
    /// Looks more closely at classes under suspicion, or those that a backdoor was found into, and where else that works.
    func complete(
        _ findings: inout [ClassFinding], _ suspects: [Int], _ searches: Searches, _ work: DetectionWork
    ) throws {
        guard !suspects.isEmpty else { return }
        let judgement = findings[suspects[0]].judgement
        /// What is found on the way is of the same kind.
        func concerned(_ findings: [ClassFinding]) -> [Int] {
            findings.indices.filter { findings[$0].judgement == judgement }
        }
        try searches.images?.examineFurtherTargets(&findings)
        try completeSuspects(&findings, concerned(findings), searches.labelled, work)
        try searches.triggers.examineShared(&findings)
        try analyseSuspects(&findings, concerned(findings), searches, work)
    }

    /// Surveys what is left of the classes under suspicion whose planted samples their directions may tell, and sorts it.
    private func completeSuspects(
        _ findings: inout [ClassFinding], _ suspects: [Int], _ labelled: LabelledSamples,
        _ work: DetectionWork
    ) throws {
        let suspicious = suspects.filter { !findings[$0].isFoundByImages }
        let members = members(of: suspicious.map { findings[$0] }, labelled)
        let left = members.values.joined().filter { !table.isSurveyed($0) }
        work.enter(.completion, passes: DetectionCosts.gradient * Double(left.count))
        try boundary.complete(left)
        for index in suspicious {
            findings[index].coherence = try findings[index].coherence?.extended(
                to: members[findings[index].label] ?? [], store: store)
        }
    }

    /// Samples that the model predicts as these classes, surveyed or not.
    private func members(of findings: [ClassFinding], _ labelled: LabelledSamples) -> [Int: [Int]] {
        let labels = Set(findings.map(\.label))
        return Dictionary(grouping: labelled.all.filter { labels.contains(Int(table.predicted[$0])) }) {
            Int(table.predicted[$0])
        }
    }

    /// Descends from samples of the classes under suspicion: for the evidence, and to tell the planted samples and their trigger
    /// more sharply. From some of each at first, and from more where the finished perturbations move more than a few of these to the
    /// other group. Then all are asked that stand no further inside their own group than those that were moved.
    private func analyseSuspects(
        _ findings: inout [ClassFinding], _ suspects: [Int], _ searches: Searches, _ work: DetectionWork
    ) throws {
        var random = SplitMix64(seed: options.methodSeed)
        let members = members(of: suspects.map { findings[$0] }, searches.labelled)
        let some = members.sorted { $0.key < $1.key }.flatMap {
            $0.value.shuffled(using: &random).prefix(analysedOfSuspects)
        }
        work.enter(
            .distances,
            passes: DetectionCosts.analysis * Double(some.count))
        try boundary.analyse(some)
        for index in suspects where findings[index].isFoundByPerturbations {
            try token.check()
            try sharpen(&findings[index], by: Set(some), searches.triggers, work)
        }
    }

    /// - Parameter some: of all suspects, drawn at random: what else was descended from says little of how large the groups are.
    private func sharpen(
        _ finding: inout ClassFinding, by some: Set<Int>, _ search: TriggerSearch, _ work: DetectionWork
    ) throws {
        guard let coherence = finding.coherence else { return }
        func sharpened(by members: [Int]) throws -> ClassCoherence {
            try coherence.sharpened(
                by: boundary.store, of: members, parameters: judge.parameters, seed: options.methodSeed)
        }
        let known = boundary.table
        // With `analysis: full`, all are known.
        var asked = coherence.members.filter {
            some.contains($0) || options.analysis == .full && known.isAnalysed($0)
        }
        var sharper = try sharpened(by: asked)
        func analyse(_ samples: [Int]) throws {
            let left = samples.count { !boundary.table.isAnalysed($0) }
            work.enter(.distances, passes: DetectionCosts.analysis * Double(left))
            try boundary.analyse(samples)
        }
        if asked.count < coherence.members.count, isPoorlyParted(coherence, by: sharper, asked) {
            var random = SplitMix64(seed: options.methodSeed)
            let others = coherence.members.filter { !some.contains($0) }.shuffled(using: &random)
            asked += others.prefix(max(0, analysedOfPoorlyParted - asked.count))
            asked.sort()
            try analyse(asked)
            sharper = try sharpened(by: asked)
        }
        if asked.count < coherence.members.count {
            let doubtful = coherence.members(noFurtherThan: coherence.members(movedBy: sharper))
            try analyse(doubtful)
            sharper = try coherence.sorted(
                as: sharper.extended(to: Set(asked).union(doubtful).sorted(), store: boundary.store),
                doubtful)
        }
        finding.coherence = sharper
        var search = search
        search.table = boundary.table
        var again = finding
        try search.examine(&again, suspects: sharper.cluster)
        finding.sharpenTrigger(as: again)
    }

    /// Whether finished perturbations move more than a few of those that were asked.
    private func isPoorlyParted(
        _ coherence: ClassCoherence, by sharper: ClassCoherence, _ asked: [Int]
    ) -> Bool {
        let inside = asked.count(where: Set(coherence.cluster).contains)
        let smaller = min(inside, asked.count - inside)
        return Double(coherence.members(movedBy: sharper).count) > Self.fewMoved * Double(smaller)
    }

    /// Share of the smaller group that may be moved before more are asked.
    private static let fewMoved = 0.01

    /// Descends from some samples of every class, to compare with.
    func analyseOthers() throws {
        var random = SplitMix64(seed: options.methodSeed)
        var chosen: [Int: Int] = [:]
        let most = max(1, DetectionCosts.analysedElsewhere / images.classes)
        try boundary.analyse(
            (0..<images.count).shuffled(using: &random).filter { sample in
                chosen[Int(table.predicted[sample]), default: 0] += 1
                return chosen[Int(table.predicted[sample]), default: 0] <= most
            }.prefix(DetectionCosts.analysedElsewhere))
    }
}
