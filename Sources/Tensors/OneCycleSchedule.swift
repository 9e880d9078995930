import Foundation

/// The one-cycle learning rate policy with cosine annealing: as `torch.optim.lr_scheduler.OneCycleLR` with
/// its defaults (two phases), without momentum cycling.
///
/// Smith and Topin, "Super-Convergence", 2018 (arXiv 1708.07120).
public struct OneCycleSchedule: Hashable, Sendable {
    public let maximum: Double
    public let steps: Int
    /// Share of the steps in which the rate rises.
    public let warmup: Double
    /// Start: maximum / divisor; end: start / finalDivisor.
    public let divisor: Double
    public let finalDivisor: Double

    /// `steps` below 1 is taken as 1.
    public init(
        maximum: Double, steps: Int, warmup: Double = 0.3, divisor: Double = 25,
        finalDivisor: Double = 1e4
    ) {
        self.maximum = maximum
        self.steps = max(steps, 1)
        self.warmup = warmup
        self.divisor = divisor
        self.finalDivisor = finalDivisor
    }

    /// The rate for step 0, 1, ..., steps - 1 (the last for any later one).
    public func learningRate(step: Int) -> Double {
        let step = Double(min(max(step, 0), steps - 1))
        let start = maximum / divisor
        let end = start / finalDivisor
        let peak = warmup * Double(steps) - 1
        let last = Double(steps - 1)
        if step <= peak || last <= peak {
            return Self.anneal(start, maximum, peak > 0 ? step / peak : 1)
        }
        return Self.anneal(maximum, end, last > peak ? (step - peak) / (last - peak) : 1)
    }

    private static func anneal(_ from: Double, _ to: Double, _ share: Double) -> Double {
        to + (from - to) / 2 * (cos(.pi * share) + 1)
    }
}
