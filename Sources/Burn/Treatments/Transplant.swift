import Support
import Tensors

/// Puts known triggers into trusted images while their labels stay: what breaks the false correlation between trigger and
/// target class. Needs no restored label, so it serves clean-label attacks too.
package struct Transplant {
    private struct Source {
        var trigger: any PlantedTrigger
        /// The class whose images never carry it. Dirty-label poison comes from other classes than its target, so a
        /// triggered image is not the target's; clean-label poison is.
        var excluded: Int?
    }

    private let sources: [Source]
    var isEmpty: Bool { sources.isEmpty }

    /// No trigger is known.
    static let none = Transplant([])

    init(_ targets: [Target]) {
        sources = targets.compactMap { target in
            target.trigger.map {
                Source(trigger: $0, excluded: target.isCleanLabel ? nil : target.label)
            }
        }
    }

    /// Images (n, C, H, W) with a trigger each, drawn at random; `labels` are the images' own.
    func apply(to images: Tensor, labels: [Int], using random: inout SplitMix64) throws -> Tensor {
        let parts = try labels.enumerated().map { row, label in
            let image = try images.narrow(0, row, 1)
            let source = sources[Int.random(in: sources.indices, using: &random)]
            return source.excluded == label ? image : try source.trigger.varied(on: image, using: &random)
        }
        return try Tensor.cat(parts).channelsLast()
    }
}
