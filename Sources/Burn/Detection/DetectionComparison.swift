/// What the triggers of several classes do beside each other.
extension Detection {
    /// Classes whose cluster is unusual, and as many others as cost little: in a model with a backdoor into every class, none is
    /// unusual among them.
    static func worthTesting(_ findings: [ClassFinding]) -> [Int] {
        let distinct = findings.indices.filter { findings[$0].hasDistinctCluster }
            .sorted { (findings[$0].coherencePValue, $0) < (findings[$1].coherencePValue, $1) }
        return distinct.enumerated().filter { rank, index in
            rank < classesTested || findings[index].isWorthTesting
        }.map(\.element)
    }

    /// How far each class's trigger works both ways, beside those of the others that were tried.
    /// - Parameter fresh: classes that were tried in this round; of the others it is known.
    func compareCauses(_ findings: inout [ClassFinding], _ fresh: [Int]) {
        for index in fresh { findings[index].keepClusterTest() }
        let strengths = findings.map { $0.clusterTest?.bothWays }
        for index in fresh {
            findings[index].bothWaysPValue =
                ControlledEffect.pValue(
                    at: index, amongBothWays: strengths, natural: .cause,
                    tested: TriggerSearch.probes(of: images.classes)) ?? 1
            findings[index].causeTest = findings[index].causeRecord
        }
    }

    /// In small sets clusters are less clear, and trying their triggers costs little: what they do is compared with what those
    /// of other classes do.
    func compareEffects(
        _ findings: inout [ClassFinding], _ fresh: [Int], _ search: TriggerSearch, _ work: DetectionWork
    ) throws {
        let tested = fresh.filter { findings[$0].clusterTest != nil }
        guard !tested.isEmpty else { return }
        var effects: [Double?] = findings.map { $0.clusterTest?.excess }
        let others = findings.indices.filter {
            effects[$0] == nil && (findings[$0].coherence?.cluster.count ?? 0) >= 3
        }.sorted { findings[$0].coherencePValue < findings[$1].coherencePValue }
        work.enter(.triggers, passes: Double(min(others.count, Self.classesTested)) * costs.trigger)
        for index in others.prefix(Self.classesTested) {
            try token.check()
            var control = ClassFinding(label: index, judge: judge)
            try search.examine(&control, suspects: findings[index].coherence?.cluster ?? [])
            effects[index] = control.effect == nil ? nil : control.excess
        }
        guard effects.count(where: { $0 != nil }) > Self.fewestEffects else { return }
        for index in tested {
            findings[index].effectPValue = ControlledEffect.pValue(
                at: index, among: effects, tested: TriggerSearch.probes(of: images.classes))
        }
    }

    /// So many classes' triggers are tried in any case.
    static let classesTested = 12
    private static let fewestEffects = 3
}
