import Findings

/// The look at an upload before it is kept.
extension WorkerTask {
    /// Check the structure of an upload, answer with `.uploadChecked`. Nothing in it is run or decoded, and nothing is
    /// written.
    public struct CheckUpload: Codable, Hashable, Sendable {
        public enum Content: Codable, Hashable, Sendable {
            /// A model with its graph, or weights whose graph is built in.
            case model(ModelSkeleton?)
            /// Weights whose graph another upload gives, which is not at hand.
            case weightsAlone
            case dataset
        }

        public var file: String
        public var content: Content

        public init(file: String, content: Content) {
            self.file = file
            self.content = content
        }
    }
}
