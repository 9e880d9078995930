import Foundation

/// How much memory all decoders together take for whole images: one that needs more waits for others to end.
///
/// Sound as `@unchecked Sendable`: `taken` is touched under the condition's lock only.
final class DecodeMemory: @unchecked Sendable {
    private let limit: Int
    private let condition = NSCondition()
    private var taken = 0

    init(limit: Int) { self.limit = limit }

    /// Blocks until there is room; one alone always has it.
    func take(_ bytes: Int) {
        condition.withLock {
            while taken > 0, taken + bytes > limit { condition.wait() }
            taken += bytes
        }
    }

    func giveBack(_ bytes: Int) {
        condition.withLock {
            taken -= bytes
            condition.broadcast()
        }
    }
}
