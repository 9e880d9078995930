import ArtifactStore
import Findings
import JobStore
import Support

extension JobQueue {
    /// Registers a committed upload and queues its probe; the record says `importing`.
    /// - Parameters:
    ///   - summary: what the instant checks found, if anything.
    ///   - options: where the graph comes from of a file of weights alone.
    public func addModel(
        name: String, blob: Blob, summary: ModelSummary? = nil, owner: String? = nil,
        options: ModelImport? = nil
    ) async throws -> ModelRecord {
        let record = try await store.insertModel(
            name: name, blob: blob, summary: summary, owner: owner, options: options, check: present)
        wake()
        return record
    }

    /// Registers a committed upload and queues its import; the record says `importing`.
    public func addDataset(
        name: String, blob: Blob, owner: String? = nil, options: ImportOptions? = nil
    ) async throws -> DatasetRecord {
        let record = try await store.insertDataset(
            name: name, blob: blob, owner: owner, options: options, check: present)
        wake()
        return record
    }

    /// - Throws: `.notFound`; `.conflict` `model-in-use` while a job that is not finished, or its import,
    ///   needs it.
    public func deleteModel(_ id: String) async throws {
        try await store.deleteInput(.model, id) { [artifacts] in try artifacts.delete(sha256: $0) }
    }

    /// - Throws: `.notFound`; `.conflict` `dataset-in-use` while a job that is not finished, or its import,
    ///   needs it.
    public func deleteDataset(_ id: String) async throws {
        try await store.deleteInput(.dataset, id) { [artifacts] in
            try artifacts.delete(sha256: $0)
        }
        try artifacts.deleteDatasetDirectory(id)
    }

    /// The record as soon as it is not importing any more, or as it is after `timeout`.
    public nonisolated func waitForModel(_ id: String, timeout: Duration) async throws -> ModelRecord {
        try await store.wait(for: id, timeout: timeout, until: { $0.state != .importing }) { [store] in
            try await store.model(id)
        }
    }

    /// The record as soon as it is not importing any more, or as it is after `timeout`.
    public nonisolated func waitForDataset(_ id: String, timeout: Duration) async throws -> DatasetRecord {
        try await store.wait(for: id, timeout: timeout, until: { $0.state != .importing }) { [store] in
            try await store.dataset(id)
        }
    }

    private nonisolated var present: @Sendable (Blob) throws -> Void {
        { [artifacts] in try artifacts.require($0) }
    }
}

extension ArtifactStore {
    /// - Throws: `Problem` `content-missing`.
    func skeleton(_ source: SkeletonSource?) throws -> ModelSkeleton? {
        switch source {
        case nil: nil
        case .architecture(let name, let image, let weights):
            .architecture(name, image: image, weights: weights)
        case .blob(let blob, let weights): .file(try require(blob), weights: weights)
        }
    }

    /// - Throws: `Problem` `content-missing`.
    @discardableResult
    func require(_ blob: Blob) throws -> String {
        guard let path = path(of: blob.sha256) else {
            throw Problem(
                .internal, code: "content-missing", title: "A stored file is not there",
                detail: "The content \(blob.sha256) was removed meanwhile.", fix: "Upload the file again.")
        }
        return path
    }
}
