import ArtifactStore
import Findings

extension ArtifactStore {
    /// - Throws: `Problem` `content-missing`.
    public func skeleton(_ source: SkeletonSource?) throws -> ModelSkeleton? {
        switch source {
        case nil: nil
        case .architecture(let name, let image, let weights):
            .architecture(name, image: image, weights: weights)
        case .output(let output): .output(output)
        case .blob(let blob, let weights): .file(try require(blob), weights: weights)
        }
    }
}
