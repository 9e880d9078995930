import Support

/// How many images go through a model together: fewer of large ones, and fewer by a model whose layers make much of each.
///
/// It depends on nothing that the machine has, so that results do not.
public struct BatchSizes: Codable, Hashable, Sendable {
    /// Images of the set.
    public var count: Int
    /// Numbers of one image.
    public var values: Int
    /// Bytes that the layers make of one image in a pass; 0 where that is not known.
    public var activationBytes: Int

    public init(count: Int, values: Int, activationBytes: Int = 0) {
        self.count = count
        self.values = max(1, values)
        self.activationBytes = max(0, activationBytes)
    }

    /// How many images may be looked at together: at most `most`.
    public func together(atMost most: Int) -> Int {
        let bySize = min(most, max(Self.fewestTogether, Self.valuesTogether / values))
        return min(bySize, max(1, Self.memoryTogether / max(1, activationBytes)))
    }

    /// How many batches of a size may be looked at at the same time.
    public func atOnce(ofSize size: Int) -> Int {
        max(1, Self.memoryAtOnce / (Checked.product(max(1, size), max(1, activationBytes)) ?? .max))
    }

    /// How many images the survey has in the model at the same time.
    public func surveyed(threads: Int) -> Int {
        let size = min(count, together(atMost: Self.mostOfStage))
        return min(count, Checked.product(size, min(threads, atOnce(ofSize: size))) ?? .max)
    }

    /// How many images may be learned from together.
    public var learned: Int { max(Self.fewestLearned, Self.memoryOfTraining / max(1, activationBytes) / 2) }

    /// What a purification learns from in a step, where its memory allows it. A backdoor takes a number of steps to unlearn, not a
    /// number of images.
    public static let ofPurification = 64
    public static let ofPurificationByTransplants = 128

    /// Samples of a batch of a stage that works sample by sample.
    public static let mostOfStage = 128

    /// Bytes that a batch may take in the layers of a model, all batches at a time, and a batch in training.
    private static let memoryTogether = 512 << 20
    private static let memoryAtOnce = 4 << 30
    private static let memoryOfTraining = 3 << 30
    /// Batch norms of fewer say too little.
    private static let fewestLearned = 8
    private static let valuesTogether = 1 << 21
    /// Fewer keep no processor busy.
    private static let fewestTogether = 16
}
