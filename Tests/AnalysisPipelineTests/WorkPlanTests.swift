import Execution
import Findings
import Support
import Synchronization
import Tensors
import Testing
import TinyModels
import WorkerProtocol

@testable import AnalysisPipeline
@testable import Burn

/// What a job says of how much is done and left, against the passes that it really made.
@Suite struct WorkPlanTests {
    private struct Report {
        var phase: Phase
        var fraction: Double
        /// Passes made, and passes that were said to be left.
        var done: Double
        var left: Double
    }

    private struct Followed {
        var reports: [Report]
        var passes: Double
        var verdict: Verdict.Result
    }

    /// What a cluster is asked for is more than what is planned, whatever the job does.
    @Test(arguments: JobType.allCases, [200, 10_000, 1_000_000])
    func theEstimateCoversThePlan(type: JobType, samples: Int) throws {
        for (classes, side) in [(2, 32), (10, 32), (1_000, 224)] {
            let set = DatasetSummary(
                format: "zip", samples: samples, height: side, width: side, channels: 3,
                classes: (0..<classes).map { .init(name: "\($0)", samples: samples / classes) }, skipped: [],
                skippedTotal: 0, packedBytes: 1)
            let model = ModelSummary(
                format: "pt2", inputShape: [nil, 3, side, side], inputType: "float32", classes: classes,
                parameters: 1, operators: [:])
            let pass = PassCost(height: side, width: side, activationBytes: 1, seconds: 1)
            for (analysis, distance, rounds) in [
                (JobOptions.Analysis.suspects, JobOptions.DistanceMethod.newton, 5), (.full, .newton, 0),
                (.full, .ddn, 20),
            ] {
                var options = JobOptions()
                (options.analysis, options.distance, options.rounds) = (analysis, distance, rounds)
                let planned = WorkPlan.steps(
                    type, options, samples: samples, classes: classes, values: 3 * side * side
                ).reduce(0) { $0 + $1.passes }
                let estimate = try #require(
                    JobEstimate(type, options, model: model, pass: pass, dataset: set))
                #expect(estimate.passes > planned, "\(classes) classes, \(options)")
            }
        }
    }

    /// A scan of a small model, of which every ninth training image was planted or none.
    private func scan(isPlanted: Bool) throws -> Followed {
        let folder = try ScratchFolder()
        var drawn = TinyImages.textures(520, side: 16, seed: 31)
        for sample in drawn.labels.indices where isPlanted && sample % 9 == 0 && drawn.labels[sample] != 2 {
            drawn.stamp(sample)
            drawn.labels[sample] = 2
        }
        let model = try TinyGraph.convolutional(side: 16, classes: 4, seed: 32)
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        try SupervisedTraining(images: images, epochs: 12, learningRate: 0.05, seed: 33).run(model)
        let before = model.passes.count
        let plan = WorkPlan(
            WorkPlan.steps(.scan, JobOptions(), samples: images.count, classes: 4, values: 3 * 16 * 16),
            passes: model.passes
        ) { _ in }
        let reports = Mutex<[Report]>([])
        @Sendable func note(_ phase: Phase, at index: Int, _ fraction: Double, _ left: Double?) {
            let report = Report(
                phase: phase, fraction: fraction, done: (model.passes.count - before).inForwards,
                left: plan.passesLeft(at: index, fraction, left))
            reports.withLock { $0.append(report) }
        }
        func store(_ name: String) throws -> PerturbationStore {
            try PerturbationStore(path: folder.file(name), samples: images.count, values: 3 * 16 * 16)
        }
        let token = try CancellationToken()
        let gradients = try store("gradients")
        let survey = GradientSurvey(
            model: model, images: images, store: gradients, threads: 2, token: token)
        let boundary = try BoundaryAnalysis(
            survey.run(
                Array(0..<images.count), progress: { note(.boundaryAnalysis, at: 0, $0, nil) }),
            survey: survey, store: store("descents"), method: .newton)
        let outcome = try Detection(
            model: model, images: images, boundary: boundary, store: gradients, directory: folder.path,
            options: JobOptions(), threads: 2, token: token
        ).run { note(.detection, at: 1, $0.fraction, $0.passesLeft) }
        return Followed(
            reports: reports.withLock { $0 }, passes: (model.passes.count - before).inForwards,
            verdict: outcome.verdict.result)
    }

    @Test(arguments: [false, true])
    func progressIsMonotoneAndTheEstimateHoldsFromHalfway(isPlanted: Bool) throws {
        let followed = try scan(isPlanted: isPlanted)
        #expect((followed.verdict == .backdoored) == isPlanted)
        let detection = followed.reports.filter { $0.phase == .detection }
        let fractions = detection.map(\.fraction)
        #expect(fractions.allSatisfy { (0...1).contains($0) })
        #expect(zip(fractions, fractions.dropFirst()).allSatisfy { $0 <= $1 }, "never backwards")
        #expect(fractions.last == 1 && detection.last?.left == 0)
        #expect(fractions.dropLast().allSatisfy { $0 < 1 }, "not before it is done")
        // Within the searches, not only between them: no step of a report is large.
        let steps = zip(fractions, fractions.dropFirst()).dropLast().map { $1 - $0 }
        #expect(try #require(steps.max()) < 0.25)
        #expect(Set(fractions).count > 20)
        let halfway = followed.reports.filter { $0.done >= followed.passes / 2 }
        #expect(!halfway.isEmpty)
        for report in halfway {
            let estimate = (report.done + report.left) / followed.passes
            #expect(
                (1 / 2.5...2.5).contains(estimate),
                "\(report.phase) at \(report.fraction): \(report.done) + \(report.left) of \(followed.passes)"
            )
        }
    }

    @Test(arguments: 0..<20)
    func whateverTheSearchesTurnOutToCostProgressNeverGoesBack(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let fractions = Mutex<[Double]>([])
        let work = DetectionWork(
            DetectionCosts(
                samples: 1 + Int(random.next() % 100_000), surveyed: 1 + Int(random.next() % 10_000),
                classes: 10,
                isExact: false),
            measure: { StageCost(phase: .detection, stage: $0, seconds: 1) }
        ) { report in
            fractions.withLock { $0.append(report.fraction) }
        }
        for stage in DetectionWork.Stage.allCases where stage == .bundles || random.next() % 3 > 0 {
            if stage != .bundles {
                work.enter(stage, passes: random.next() % 2 == 0 ? nil : Double(random.next() % 1_000_000))
            }
            work.expect(.features, passes: Double(random.next() % 1_000_000))
            for _ in 0..<random.next() % 50 { work.add(Double(random.next() % 200_000)) }
        }
        let before = fractions.withLock { $0 }
        #expect(zip(before, before.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(before.allSatisfy { (0..<1).contains($0) })
        let costs = work.finish()
        #expect(Set(costs.map(\.stage)).count == costs.count && costs.first?.stage == .bundles)
        #expect(fractions.withLock { $0.last } == 1)
    }

    @Test func whatIsPlannedGrowsWithTheWork() {
        func passes(_ samples: Int, _ options: JobOptions = JobOptions(), _ type: JobType = .scan) -> [Double]
        {
            WorkPlan.steps(type, options, samples: samples, classes: 10, values: 3_072).map(\.passes)
        }
        let full = JobOptions(analysis: .full)
        #expect(passes(1_000, full)[0] > 6 * passes(1_000)[0])
        #expect(passes(1_000, JobOptions(distance: .ddn))[0] == passes(1_000)[0], "before the detection")
        let ddn = JobOptions(distance: .ddn, analysis: .full)
        #expect(passes(1_000, ddn)[0] == passes(1_000, full)[0] + 2 * 40 * 1_000)
        #expect(passes(1_000, ddn)[1] == passes(1_000)[1])
        // Detection trains, so that it costs more than a look at every sample.
        #expect(passes(1_000)[1] > 10 * 1_000)
        #expect(zip(passes(2_000), passes(1_000)).allSatisfy { $0 > $1 })
        #expect(passes(1_000, JobOptions(), .purify).count == 3 + JobOptions().rounds)
        #expect(passes(0).allSatisfy { $0.isFinite && $0 >= 0 })
    }
}
