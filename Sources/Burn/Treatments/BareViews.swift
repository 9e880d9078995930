import Execution
import Tensors

/// What a model sees in samples beside a target's trigger: with it taken out, as they are and mirrored, and, of a sanitised
/// model, in the images as they are.
struct BareViews {
    let images: LabelledImages
    let mirrors: Bool
    let token: CancellationToken

    /// Adds class probabilities without the target's, which sum to 1: one opinion for each view of each sample.
    func add(
        _ model: GraphModel, on samples: [Int], _ target: Target, sanitised: Bool,
        to opinions: inout [Int: ClassOpinion], prepared: (Tensor) throws -> Tensor
    ) throws {
        for part in images.parts(of: samples) {
            let batch = try prepared(images.batch(part))
            let bare = try target.trigger?.removed(from: batch)
            var views = try bare.map { mirrors ? [$0, try $0.flip([3])] : [$0] } ?? []
            if sanitised { views.append(batch) }
            for view in views {
                let rows: [Float] = try model.forward(view, mode: .inference, token: token).softmax(1).array()
                for (row, sample) in part.enumerated() {
                    let seen = rows[row * images.classes..<(row + 1) * images.classes]
                    let opinion = ClassOpinion(apartFrom: target.label, seen)
                    opinions[sample] = opinions[sample].map { $0 + opinion } ?? opinion
                }
            }
        }
    }
}
