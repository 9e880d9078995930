/// What the unlearning test says of classes above suspicion: trained one at a time, when it is asked for.
struct UnlearningNull {
    /// Of the bundles, and of what is beside them.
    private(set) var scores: [[Double]] = [[], []]
    private let classes: [(label: Int, coherence: ClassCoherence)]
    /// The first class that each side was not asked of.
    private var next = [0, 0]

    /// Values that each side may have.
    let most: Int

    /// - Parameter classes: those with the clearest bundles first: the hardest null there is.
    init(_ classes: [(label: Int, coherence: ClassCoherence)]) {
        self.classes = classes
        most = min(UnlearningTest.nullClasses, classes.count)
    }

    /// Whether no class is left to ask.
    func isExhausted(_ place: Int) -> Bool { next[place] == classes.count }

    /// Adds the score of one more class.
    /// - Returns: false where there are enough, or no more.
    mutating func extend(_ place: Int, by test: UnlearningTest) throws -> Bool {
        while scores[place].count < most, next[place] < classes.count {
            let (label, coherence) = classes[next[place]]
            next[place] += 1
            guard let side = try test.side(place, of: coherence, label: label) else { continue }
            scores[place].append(side.score)
            return true
        }
        return false
    }
}
