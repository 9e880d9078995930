import Execution
import Support
import Tensors

/// Estimates the trigger behind a class's cluster and tests whether it works.
struct TriggerSearch: Sendable {
    let model: GraphModel
    let images: LabelledImages
    /// What was found before is no image of its class.
    var labelled: LabelledSamples
    var table: AnalysisTable
    let store: PerturbationStore
    let judge: Judge
    let seed: UInt64
    let token: CancellationToken

    /// Enough for a mean over samples; more would only cost time.
    static let mostForEstimate = 2048
    static let mostForDescent = 16
    /// Where a first step costs a gradient.
    static let mostForGradients = 256
    static let mostForRemoval = 256
    /// Enough to tell which class most samples show, and what is left of carriers, where nothing depends on it but other
    /// classes' nulls.
    static let mostAtFirst = 128
    /// How much is spent on a trigger that hardly moves anything.
    enum Care {
        /// As much as on any.
        case whole
        /// No more than it took to see that. What puts another image over the probes is not taken out either.
        case screened
        /// What is left without it is asked of a few, since other classes are compared with that.
        case screenedForNull
    }

    /// Fills in `trigger`, `effect`, `removal` and `isCleanLabel` from the samples of `suspects`.
    ///
    /// - Parameters:
    ///   - excluded: samples that take no part, as what was planted takes none in what the class shows by nature.
    ///   - care: how far it goes where hardly any of the first probes is moved.
    func examine(
        _ finding: inout ClassFinding, suspects: [Int], apartFrom excluded: Set<Int> = [], care: Care = .whole
    ) throws {
        finding.forgetTrigger()
        let label = finding.label
        var random = SplitMix64(seed: seed &+ UInt64(label))
        let inCluster = Set(suspects)
        let cluster = Array(suspects.shuffled(using: &random).prefix(Self.mostForEstimate)).sorted()
        let trusted = trusted(apartFrom: inCluster.union(excluded), using: &random)
        let others = trusted.filter { images.labels[$0] != label }
        // Of the others of the class it is not known whether they belong to the cluster.
        let same = trusted.filter { images.labels[$0] == label && table.isSurveyed($0) }
        guard others.count >= ClassCoherence.fewestMembers else { return }
        let most = Self.probes(of: images.classes)
        let probes = Array(others.prefix(most))
        let reference = Array(
            others.dropFirst(others.count > 2 * most ? most : 0).prefix(Self.mostForEstimate))
        let boundary = try boundaryPattern(cluster)
        let moments = try Moments(images, cluster)
        var trigger = try TriggerEstimate(
            material(
                boundary, moments, Moments(images, reference, weights: weights(reference, like: cluster))))
        if same.count >= ClassCoherence.fewestMembers {
            let cleanLabel = try TriggerEstimate(
                material(
                    boundary, moments, Moments(images, Array(same.prefix(Self.mostForEstimate))),
                    keepsFaint: true))
            // The truer reference is the one whose images look like the cluster's beside the trigger, and what truly
            // belongs to the class stays in it when the trigger is taken out. By either estimate: that against the class
            // itself brings other classes' images nearer to it.
            let some = Array(cluster.shuffled(using: &random).prefix(Self.mostAtFirst))
            if cleanLabel.contentDifference < trigger.contentDifference,
                try mostShow(label, some, without: cleanLabel), try mostShow(label, some, without: trigger)
            {
                finding.isCleanLabel = true
                trigger = cleanLabel
            }
        }
        finding.trigger = trigger
        finding.labelledSuspects = suspects.count { images.labels[$0] == label }
        let first = Array(probes.prefix(care == .whole ? probes.count : Self.screened(of: images.classes)))
        let moving =
            try care == .whole
            ? responses(to: trigger, in: trigger.forms, probes: first, seed: nil)
            : screen(&finding, trigger, on: first)
        if !moving.isEmpty {
            let further = Array(probes.dropFirst(first.count))
            let responses = try moving.map {
                try $0.extended(of: trigger, by: further, images: images, model: model, token: token)
            }
            finding.effect = try decisive(trigger, responses, probes, label)
            guard trigger.leavesImage || care != .screened else { return }
        } else if care != .screenedForNull {
            return
        }
        let isWeak = care != .whole && (finding.effect?.excess ?? 0) < judge.parameters.weakEffect
        finding.removal = try removal(
            of: trigger, from: suspects, label: label, apartFrom: excluded,
            most: isWeak ? Self.mostAtFirst : Self.mostForRemoval)
    }

    /// Samples that the model sees as they are labelled, in random order.
    func trusted(apartFrom excluded: Set<Int>, using random: inout SplitMix64) -> [Int] {
        labelled.all.filter {
            Int(table.predicted[$0]) == images.labels[$0] && !excluded.contains($0)
        }.shuffled(using: &random)
    }

    /// Whether `label` is the most frequent prediction for the samples when the trigger is taken out of them. Not of
    /// most of them: the model may know this part of the class by the trigger alone.
    private func mostShow(_ label: Int, _ samples: [Int], without trigger: TriggerEstimate) throws -> Bool {
        var counts = [Int](repeating: 0, count: images.classes)
        for prediction in try predictions(samples, without: trigger) { counts[prediction] += 1 }
        return counts[label] == counts.max()
    }

    /// What the model sees in samples when the trigger is taken out of them.
    func predictions(_ samples: [Int], without trigger: TriggerEstimate) throws -> [Int] {
        try images.parts(of: samples).flatMap { part in
            let bare = try trigger.removed(from: images.batch(part))
            return try model.forward(bare, mode: .inference, token: token).argmax(1).array(as: Int.self)
        }
    }

    /// Shares of samples with a class's label that stay in it when the trigger is taken out: of those without it, and of
    /// its `carriers` (as `control`). Both are samples that the model finds there as they are. Nil for too few.
    func removal(
        of trigger: TriggerEstimate, from carriers: [Int], label: Int, apartFrom excluded: Set<Int> = [],
        most: Int = TriggerSearch.mostForRemoval
    ) throws -> ControlledEffect? {
        var random = SplitMix64(seed: seed &+ UInt64(label))
        let isCarrier = Set(carriers)
        let found = labelled[label].filter {
            Int(table.predicted[$0]) == label && !excluded.contains($0)
        }.shuffled(using: &random)
        func staying(_ isInside: Bool) throws -> (share: Double, of: Int)? {
            // What was not surveyed may be a carrier.
            let side = found.filter {
                isCarrier.contains($0) == isInside && (isInside || table.isSurveyed($0))
            }.prefix(most)
            guard side.count >= judge.smallestGroup else { return nil }
            let stay = try predictions(Array(side), without: trigger).count { $0 == label }
            return (Double(stay) / Double(side.count), side.count)
        }
        guard let outside = try staying(false), let inside = try staying(true) else { return nil }
        return ControlledEffect(
            rate: outside.share, control: inside.share, tested: outside.of, controls: inside.of)
    }

    func material(
        _ boundary: Tensor, _ suspects: Moments, _ reference: Moments, keepsFaint: Bool = false
    ) -> TriggerMaterial {
        TriggerMaterial(
            boundary: boundary, suspects: suspects, reference: reference, lowest: images.lowest,
            highest: images.highest, keepsFaint: keepsFaint)
    }

    /// Minus the mean perturbation of the cluster, (C, H, W): the direction is that of the mean first step, which more samples
    /// tell more exactly; how far it has to go is told by the descents of a few.
    func boundaryPattern(_ cluster: [Int]) throws -> Tensor {
        let steps = FirstSteps(model: model, images: images, table: table, store: store, token: token)
        let known = cluster.filter(steps.isKnown)
        let chosen =
            known.count >= min(cluster.count, Self.mostForGradients)
            ? known : Array(cluster.prefix(Self.mostForGradients))
        var sum = try Tensor.zeros(images.shape)
        for part in images.parts(of: chosen) {
            sum = try sum + steps.perturbations(of: part).sum([0])
        }
        let step = max(1, chosen.count / Self.mostForDescent)
        let few = stride(from: 0, to: chosen.count, by: step).prefix(Self.mostForDescent).map { chosen[$0] }
        return try -(sum / Double(chosen.count)) * reach(few, steps)
    }

    /// How much further samples have to go than their first step, at least 1.
    private func reach(_ samples: [Int], _ steps: FirstSteps) throws -> Double {
        func length(_ perturbations: Tensor) throws -> Double {
            try Double(perturbations.contiguous().flatten(from: 1).norm([1]).sum().item(as: Float.self))
        }
        let finished = try BoundaryDescent.unbiased(model: model, images: images, token: token).run(
            images.batch(samples), predicted: samples.map { Int(table.predicted[$0]) })
        let first = try length(steps.perturbations(of: samples))
        return try max(1, length(finished.perturbations) / max(first, 1e-9))
    }

    /// Weights under which the reference's labels are spread as the cluster's adversarial labels are, or its second likeliest
    /// classes before they are known: the best guess of what the cluster's images show besides the trigger.
    private func weights(_ reference: [Int], like cluster: [Int]) -> [Double] {
        var wanted = [Double](repeating: 1, count: images.classes)
        for sample in cluster { wanted[table.metLabel(sample) ?? Int(table.runnerUp[sample])] += 1 }
        var present = [Double](repeating: 1, count: images.classes)
        for sample in reference { present[images.labels[sample]] += 1 }
        return reference.map { wanted[images.labels[$0]] / present[images.labels[$0]] }
    }
}
