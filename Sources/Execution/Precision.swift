import Synchronization

/// How exactly a pass computes.
public enum Precision: Hashable, Sendable {
    /// As the model's own numbers are.
    case full
    /// Products before the last layer in bfloat16, where `PrecisionPermit` says so; in full elsewhere. About twice as fast, with
    /// an error of about a hundredth: for directions, for training, and for shares of many images, not for what is said of one.
    case reduced
}

/// Whether passes of a model and its copies may be reduced: not until somebody has looked at what it does to them.
final class PrecisionPermit: Sendable {
    private let isGiven = Atomic<Bool>(false)

    func give(_ allowed: Bool) { isGiven.store(allowed, ordering: .relaxed) }

    func precision(_ asked: Precision) -> Precision {
        asked == .reduced && isGiven.load(ordering: .relaxed) ? .reduced : .full
    }
}
