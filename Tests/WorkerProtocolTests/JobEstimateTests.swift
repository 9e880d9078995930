import Findings
import Testing

@testable import WorkerProtocol

@Suite struct JobEstimateTests {
    private let model = ModelSummary(
        format: "pt2", inputShape: [nil, 3, nil, nil], inputType: "float32", classes: 10, parameters: 1 << 20,
        operators: [:])
    private let pass = PassCost(height: 32, width: 32, activationBytes: 1 << 20, seconds: 0.001)

    private func set(_ samples: Int, side: Int = 32, classes: Int = 10) -> DatasetSummary {
        DatasetSummary(
            format: "image-folder/zip", samples: samples, height: side, width: side, channels: 3,
            classes: (0..<classes).map { .init(name: "\($0)", samples: samples / classes) }, skipped: [],
            skippedTotal: 0, packedBytes: samples * 3 * side * side)
    }

    private func expected(
        _ set: DatasetSummary, pass: PassCost?, _ type: JobType = .scan, _ options: JobOptions = JobOptions(),
        further: [DatasetSummary] = []
    ) -> JobEstimate? {
        JobEstimate(
            type, options, model: model, pass: pass, dataset: set, further: further)
    }

    /// Never less than what the worker refuses to start with.
    @Test(arguments: JobType.allCases) func isMoreThanWhatIsNeededAtLeast(type: JobType) throws {
        let estimate = try #require(expected(set(10_000), pass: pass, type))
        let batches = BatchSizes(count: 10_000, values: 3072, activationBytes: 1 << 20)
        for threads in [1, 8] {
            let need = MemoryNeed(type, weights: 4 << 20, batches, threads: threads).bytes
            #expect(estimate.memoryBytes(threads: threads) == need + need / 2 + (1 << 30))
        }
        // 500,000 forwards of searches, 400 a class, five a sample and 20 a sample of a class: at 1 ms each, twice, and two minutes.
        if type == .scan {
            #expect(estimate.minutes(threads: 1) == ((120 + 2 * 574) + 59) / 60)
            #expect(estimate.minutes(threads: 2) == estimate.minutes(threads: 1))
            #expect(estimate.minutes(threads: 64) == 15)
        }
    }

    @Test func growsWithWhatTheJobDoes() throws {
        let scan = try #require(expected(set(10_000), pass: pass))
        let purification = try #require(expected(set(10_000), pass: pass, .purify))
        var full = JobOptions()
        full.analysis = .full
        let analysed = try #require(expected(set(10_000), pass: pass, .scan, full))
        #expect(purification.passes > scan.passes && analysed.passes > scan.passes)
        #expect(purification.memoryBytes(threads: 1) > scan.memoryBytes(threads: 1))
        #expect(purification.ofScan.memoryBytes(threads: 1) == scan.memoryBytes(threads: 1))
        let beside = try #require(expected(set(10_000), pass: pass, further: [set(5_000), set(5_000)]))
        #expect(beside.passes == scan.passes + 20_000)
        // Images of twice the side have four times the pixels.
        let large = try #require(expected(set(10_000, side: 64), pass: pass))
        #expect(large.secondsOfPass == 0.004 && large.batches.activationBytes == 4 << 20)
    }

    /// Numbers that a worker gave, which may be any.
    @Test func isNoneOfNumbersThatSayNothing() throws {
        #expect(expected(set(100), pass: nil) == nil)
        let invalid: [(Int, Int, Int, Double)] = [
            (0, 32, 1, 1), (32, -1, 1, 1), (32, 32, -1, 1), (32, 32, 1, -1), (32, 32, 1, .infinity),
            (32, 32, 1, .nan),
        ]
        for (height, width, bytes, seconds) in invalid {
            let pass = PassCost(height: height, width: width, activationBytes: bytes, seconds: seconds)
            #expect(expected(set(100), pass: pass) == nil)
        }
        let huge = PassCost(height: 1, width: 1, activationBytes: .max, seconds: 1e300)
        #expect(expected(set(100), pass: huge) == nil)
        let slow = PassCost(height: 32, width: 32, activationBytes: .max / 8, seconds: 1e300)
        let estimate = try #require(expected(set(100_000), pass: slow, .purify))
        #expect(estimate.minutes(threads: 1) == .max)
        #expect(estimate.memoryBytes(threads: 64) > .max / 8)
    }
}
