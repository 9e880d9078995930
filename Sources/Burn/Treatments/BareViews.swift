import Execution
import Tensors

/// What a model sees in samples beside a target's trigger: with it taken out, as they are and mirrored, and, of a sanitised
/// model, in the images as they are.
struct BareViews {
    let images: LabelledImages
    let mirrors: Bool
    let token: CancellationToken

    /// Adds class probabilities without the target's, which sum to 1: one opinion for each view of each sample.
    ///
    /// - Parameter prepared: what is made of the images first; nil for nothing.
    func add(
        _ answers: ModelAnswers, on samples: [Int], _ target: Target, sanitised: Bool,
        to opinions: inout [Int: ClassOpinion], prepared: ((Tensor) throws -> Tensor)? = nil
    ) throws {
        let classes = images.classes
        func probabilities(_ view: Tensor) throws -> Tensor {
            try answers.model.forward(view, mode: .inference, token: token).softmax(1)
        }
        for part in images.parts(of: samples) {
            let images = try images.batch(part)
            let batch = try prepared?(images) ?? images
            let bare = try target.trigger?.removed(from: batch)
            let views = try bare.map { mirrors ? [$0, try $0.flip([3])] : [$0] } ?? []
            var answered = try views.map(probabilities)
            if sanitised {
                answered.append(
                    try prepared == nil ? answers.probabilities(part) : probabilities(batch))
            }
            for rows in answered {
                let rows: [Float] = try rows.array()
                for (row, sample) in part.enumerated() {
                    let seen = rows[row * classes..<(row + 1) * classes]
                    let opinion = ClassOpinion(apartFrom: target.label, seen)
                    opinions[sample] = opinions[sample].map { $0 + opinion } ?? opinion
                }
            }
        }
    }
}
