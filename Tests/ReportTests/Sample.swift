import Findings

@testable import Report

/// Reports for tests.
enum Sample {
    static let plain = "ship"

    /// - Parameter name: of everything that an uploader names.
    static func report(
        _ result: Verdict.Result = .backdoored, type: JobType = .purify, name: String = plain,
        classes: Int = 3,
        id: String? = "job_1", seconds: Double = 2.5, evaluated: Bool = true
    ) -> JobReport {
        let names = (0..<classes).map { "\(name)\($0)" }
        var tally = EvidenceTally()
        for sample in samples(classes, name) { tally.add(sample) }
        let verdict = verdict(result, names)
        let metrics = PurificationMetrics(
            before: EvaluationMetrics(acc: 0.7775, asr: 0.9828, ra: 0.0144),
            after: EvaluationMetrics(acc: 0.786, asr: 0.005, ra: 0.7831))
        return JobReport(
            job: .init(
                id: id, type: type, createdAt: "2026-11-25T03:00:00.000Z",
                startedAt: "2026-11-25T03:00:01.000Z",
                finishedAt: "2026-11-25T03:00:\(Int(seconds) + 10).000Z"),
            software: .init(burnd: "0.1.0", engine: Engine(libtorch: "2.13.0", threads: 2)),
            inputs: inputs(name, classes, id), options: JobOptions(seed: 7, classes: [name: 1]),
            verdict: verdict, evidence: tally.distributions(classNames: names), samples: tally.counts,
            purification: type == .purify
                ? .init(
                    modelChanged: result == .backdoored, modelSHA256: String(repeating: "c", count: 64),
                    modelBytes: 1_234_567) : nil,
            metrics: evaluated ? metrics : nil,
            assessment: .init(
                source: .holdout, samples: 100,
                classes: names.enumerated().map { .init(label: $0, name: $1, before: 0.75, after: 0.8) },
                confusionBefore: nil, confusionAfter: nil),
            phases: [
                .init(phase: .detection, round: 0, seconds: seconds / 2),
                .init(phase: .boundaryAnalysis, round: 0, seconds: seconds),
            ],
            points: [
                MetricPoint(phase: .refinement, round: 1, name: "residual_asr_estimate", value: 0.004),
                MetricPoint(phase: .refinement, round: 1, name: "accepted", value: 1),
                MetricPoint(phase: .detection, name: "residual_asr_estimate", value: 0.98),
                MetricPoint(phase: .boundaryAnalysis, name: "samples_per_second", value: 99 / seconds),
                MetricPoint(phase: .boundaryAnalysis, name: "gradients_per_sample", value: 7.25),
            ])
    }

    private static func verdict(_ result: Verdict.Result, _ names: [String]) -> Verdict {
        let evidence = names.enumerated().map { label, name in
            ClassEvidence(
                label: label, name: name, samples: 100, flaggedSamples: label == 1 ? 20 : 0,
                medianBoundaryDistance: 0.4, coherenceShare: label == 1 ? 0.3 : 0.03, coherenceNull: 0.026,
                coherencePValue: label == 1 ? 0.0005 : 0.6, triggerEffect: label == 1 ? 0.98 : nil,
                randomEffect: label == 1 ? 0.04 : nil, adversarialConcentration: 0.2)
        }
        let isFinding = result == .backdoored || result == .suspicious
        return Verdict(
            result: result, targetClasses: isFinding ? [1] : [], kind: isFinding ? .allToOne : nil,
            poisonedSamples: 20, poisonRate: 0.0667, poisonRateInterval: [0.04, 0.1],
            confidence: result == .undetermined ? nil : 0.99,
            detectableRate: result == .undetermined ? nil : 0.004,
            unjudgedClasses: result == .undetermined ? [1] : [],
            evidence: Evidence(classes: evidence, statements: ["Class \(names[1]): 20 of 100 samples."]),
            engine: Engine(libtorch: "2.13.0", threads: 2))
    }

    private static func inputs(_ name: String, _ classes: Int, _ id: String?) -> JobReport.Inputs {
        let digest = String(repeating: "a", count: 64)
        let summary = DatasetSummary(
            format: "image-folder/tar", samples: 100 * classes, height: 32, width: 32, channels: 3,
            classes: (0..<classes).map { .init(name: "\(name)\($0)", samples: 100) }, skipped: [],
            skippedTotal: 0, packedBytes: 1_000)
        return JobReport.Inputs(
            model: .init(
                id: id.map { "mdl_" + $0 }, name: name + ".pt2", sha256: digest, bytes: 1_000_000,
                summary: ModelSummary(
                    format: "pt2", inputShape: [nil, 3, 32, 32], inputType: "float32", classes: classes,
                    parameters: 1_234_567, operators: ["aten.conv2d.default": 8])),
            dataset: .init(
                id: id.map { "dst_" + $0 }, name: name + ".tar", sha256: digest, bytes: 2_000_000,
                summary: summary,
                options: ImportOptions(resize: .shorterSide(40), crop: .init(height: 32, width: 32))))
    }

    static func samples(_ classes: Int, _ name: String = plain) -> [SampleFinding] {
        (0..<100 * classes).map { index in
            let label = index % classes
            let flagged = label == 1 && index % 5 == 0
            return SampleFinding(
                index: index, name: "\(name)/\(index)", givenLabel: label, predictedLabel: label,
                boundaryDistance: flagged ? 2 + Double(index % 7) / 10 : Double(index % 11) / 10,
                adversarialLabel: (label + 1) % classes, coherence: 0.5, score: flagged ? 0.9 : 0.1,
                flagged: flagged,
                restoredLabel: flagged ? (label + 1) % classes : label)
        }
    }
}
