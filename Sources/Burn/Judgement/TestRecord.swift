/// What one test of the detection found, for whoever asks whether its p-values are uniform where nothing is hidden.
package struct TestRecord: Codable, Hashable, Sendable {
    package enum Stage: String, Codable, CaseIterable, Sendable {
        case perturbations, causes, patterns, common, noise, tones, features
    }

    package var stage: Stage
    /// Of the class that was asked about; nil for a test of all together.
    package var label: Int?
    /// Of the hypothesis, before it is corrected for the number of hypotheses.
    package var pValue: Double
    /// What it rests on, by name.
    package var values: [String: Double]

    /// - Parameter values: nil for what was not measured.
    init(stage: Stage, label: Int?, pValue: Double, values: [String: Double?]) {
        (self.stage, self.label, self.pValue) = (stage, label, pValue)
        self.values = values.compactMapValues(\.self)
    }
}

extension Detection.Outcome {
    /// Of all tests that were made, in the order of classes.
    package var tests: [TestRecord] {
        findings.flatMap(\.tests)
            + (findings.lazy.compactMap(\.common).first.map { common in
                [
                    TestRecord(
                        stage: .common, label: nil, pValue: common.pValue,
                        values: ["carriers": common.wayBack?.carriers, "others": common.wayBack?.others])
                ]
            } ?? [])
    }
}

extension ClassFinding {
    var tests: [TestRecord] {
        func record(_ stage: TestRecord.Stage, _ pValue: Double, _ values: [String: Double?]) -> TestRecord {
            TestRecord(stage: stage, label: label, pValue: pValue, values: values)
        }
        var tests: [TestRecord] = []
        if let coherence {
            tests.append(
                record(
                    .perturbations, coherencePValue,
                    [
                        "members": Double(coherence.members.count),
                        "cluster": Double(coherence.cluster.count),
                        "tightness": coherence.tightness, "share": coherence.share, "gain": coherence.gain,
                        "rest_tightness": coherence.remainderStrength?.tightness,
                        "rest_share": coherence.remainderStrength?.share,
                        "rest_gain": coherence.remainderStrength?.gain,
                        "separation": coherence.mixture.separation,
                    ]))
        }
        if let causeTest { tests.append(causeTest) }
        if let pattern {
            tests.append(
                record(
                    .patterns, pattern.pValue,
                    [
                        "bundle_p": pattern.bundlePValue, "insertion_p": pattern.insertionPValue,
                        "removal_p": pattern.removalPValue, "removal": pattern.removal?.excess,
                        "insertion": pattern.insertion, "gain": pattern.gain,
                        "cluster_p": pattern.clusterPValue,
                    ]))
        }
        for style in styleTests {
            tests.append(
                record(
                    style.style == .noise ? .noise : .tones, style.pValue,
                    [
                        "insertion": style.insertion.excess, "removal": style.removal?.excess,
                        "effect_p": style.effectPValue,
                        "unlearned_p": style.unlearned?.pValue,
                    ]))
        }
        if let features {
            tests.append(
                record(
                    .features, features.unlearned == nil ? features.gainPValue : features.pValue,
                    [
                        "gain": features.coherence.gain, "gain_p": features.gainPValue,
                        "unlearning": features.unlearned?.score,
                        "unlearning_p": features.unlearned?.pValue,
                    ]))
        }
        return tests
    }

    /// Nil before a trigger was tried.
    var causeRecord: TestRecord? {
        effect.map { effect in
            TestRecord(
                stage: .causes, label: label, pValue: bothWaysPValue,
                values: [
                    "excess": effect.excess, "rate": effect.rate, "random": effect.random,
                    "removal": removal?.excess, "both_ways": bothWays, "next": nextBothWays,
                ])
        }
    }
}
