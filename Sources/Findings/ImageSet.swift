/// Which of a job's sets of images.
public enum ImageSet: String, Codable, Hashable, Sendable {
    /// What the model was trained on.
    case training
    /// What the user measures ACC with, and ASR.
    case clean, triggered
}
