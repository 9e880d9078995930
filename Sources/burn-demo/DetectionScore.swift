import Findings

/// The service's findings against the known truth.
struct DetectionScore {
    var poisoned = 0
    var clean = 0
    /// Flagged, of the poisoned and of the clean samples.
    var found = 0
    var falselyFlagged = 0
    /// Poisoned samples whose restored label is their true class.
    var restored = 0

    /// - Throws: `DemoFailure` when a sample is not one of those that were sent.
    init(_ samples: [SampleFinding], truth: [String: DemoCase.Truth]) throws {
        guard samples.count == truth.count else {
            throw DemoFailure("The job lists \(samples.count) samples; \(truth.count) were uploaded.")
        }
        for sample in samples {
            guard let known = truth[DemoCase.sampleName(ofEntry: sample.name)] else {
                throw DemoFailure("The job lists a sample that was not uploaded: \(sample.name)")
            }
            if known.isPoisoned {
                poisoned += 1
                found += sample.flagged ? 1 : 0
                restored += sample.restoredLabel == known.label ? 1 : 0
            } else {
                clean += 1
                falselyFlagged += sample.flagged ? 1 : 0
            }
        }
    }

    /// Nil without poisoned samples.
    var truePositiveRate: Double? { poisoned > 0 ? Double(found) / Double(poisoned) : nil }
    var falsePositiveRate: Double? { clean > 0 ? Double(falselyFlagged) / Double(clean) : nil }
    var restoredShare: Double? { poisoned > 0 ? Double(restored) / Double(poisoned) : nil }
}
