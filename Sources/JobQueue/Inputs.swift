import ArtifactStore
import Findings
import JobStore
import Storage
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

extension JobQueue {
    /// Removes a finished job with all that it found; what is left says that it was there.
    /// - Throws: `.notFound`; `.gone` `job-removed`; `.conflict` `job-not-finished`.
    public nonisolated func remove(_ job: String) async throws {
        try await store.remove(job, reason: .request, artifacts)
    }
}
