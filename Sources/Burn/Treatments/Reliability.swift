/// How often answers of a certainty are right: isotonic regression on answers whose truth is known (Ayer et al., "An
/// empirical distribution function for sampling with incomplete information", 1955, by pooling adjacent violators).
struct Reliability: Sendable {
    /// From these certainties on, ascending, answers are right so often.
    private let steps: [(from: Float, share: Double)]

    private struct Block {
        var from: Float
        var hits: Int
        var total: Int
        /// With one answer of each kind added: a share of few is not known.
        var share: Double { Statistics.cautiousShare(hits, of: total) }
    }

    init(_ answers: [(certainty: Float, isRight: Bool)]) {
        var blocks: [Block] = []
        for answer in answers.sorted(by: { $0.certainty < $1.certainty }) {
            blocks.append(Block(from: answer.certainty, hits: answer.isRight ? 1 : 0, total: 1))
            while blocks.count > 1, let last = blocks.last,
                let before = blocks.dropLast().last,
                before.hits * last.total >= last.hits * before.total || last.from == before.from
            {
                blocks.removeLast(2)
                blocks.append(
                    Block(
                        from: before.from, hits: before.hits + last.hits, total: before.total + last.total))
            }
        }
        steps = blocks.map { ($0.from, $0.share) }
    }

    /// Nil where nothing is known.
    func share(at certainty: Float) -> Double? {
        (steps.last { $0.from <= certainty } ?? steps.first)?.share
    }
}
