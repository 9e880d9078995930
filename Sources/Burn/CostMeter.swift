import Execution
import Findings
import Foundation
import Support

/// Measures what the stages of a phase cost, one after the other.
package final class CostMeter: Sendable {
    private struct Reading: Sendable {
        var passes: Passes
        var bytesRead: Int
        var time = ContinuousClock.now
    }

    private let model: GraphModel
    private let images: LabelledImages
    private let last: Mutex<Reading>

    package init(model: GraphModel, images: LabelledImages) {
        self.model = model
        self.images = images
        last = Mutex(Reading(passes: model.passes.count, bytesRead: images.dataset.bytesRead))
    }

    /// - Returns: what was spent since the stage before ended, or since the meter was made.
    package func end(of stage: StageCost.Stage, _ phase: Phase, round: Int = 0) -> StageCost {
        let now = Reading(passes: model.passes.count, bytesRead: images.dataset.bytesRead)
        return last.withLock { last in
            defer { last = now }
            let spent = now.passes - last.passes
            return StageCost(
                phase: phase, round: round, stage: stage, forwards: spent.forwards,
                gradients: spent.gradients, trainingSamples: spent.trainingSamples,
                seconds: (now.time - last.time) / .seconds(1), bytesRead: now.bytesRead - last.bytesRead,
                peakMemory: Self.peakMemory)
        }
    }

    /// The most memory that this process has had, in bytes.
    private static var peakMemory: Int {
        var usage = rusage()
        return getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 ? usage.ru_maxrss * 1024 : 0
    }
}
