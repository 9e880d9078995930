import Findings

extension JobReport {
    /// What the job was given.
    public struct Inputs: Codable, Hashable, Sendable {
        public var model: Input<ModelSummary, ModelImport>
        public var dataset: Input<DatasetSummary, ImportOptions>
        /// The user's evaluation sets.
        public var clean, triggered: Input<DatasetSummary, ImportOptions>?
        public var targetClass: Int?

        public init(
            model: Input<ModelSummary, ModelImport>, dataset: Input<DatasetSummary, ImportOptions>,
            clean: Input<DatasetSummary, ImportOptions>? = nil,
            triggered: Input<DatasetSummary, ImportOptions>? = nil, targetClass: Int? = nil
        ) {
            self.model = model
            self.dataset = dataset
            self.clean = clean
            self.triggered = triggered
            self.targetClass = targetClass
        }

        enum CodingKeys: String, CodingKey {
            case model, dataset, clean, triggered
            case targetClass = "target_class"
        }
    }

    /// A model or data set. All but the id (and a model's SHA-256) are gone when it was deleted after the job.
    public struct Input<Summary, Options>: Codable, Hashable, Sendable
    where Summary: Codable & Hashable & Sendable, Options: Codable & Hashable & Sendable {
        public var id: String?
        /// As the uploader named it: not to be trusted.
        public var name: String?
        /// Of the file as it came, in lower-case hexadecimal.
        public var sha256: String?
        /// Of a folder: the SHA-256 of what `sha256sum` prints for its files in order of their paths' bytes.
        public var treeSHA256: String?
        public var bytes: Int?
        public var summary: Summary?
        /// How it was read.
        public var options: Options?

        public init(
            id: String? = nil, name: String?, sha256: String?, treeSHA256: String? = nil, bytes: Int?,
            summary: Summary?, options: Options? = nil
        ) {
            self.id = id
            self.name = name
            self.sha256 = sha256
            self.treeSHA256 = treeSHA256
            self.bytes = bytes
            self.summary = summary
            self.options = options
        }

        enum CodingKeys: String, CodingKey {
            case id, name, sha256, bytes, summary, options
            case treeSHA256 = "tree_sha256"
        }
    }
}
