import Support

extension ArtifactStore {
    /// Calls `body` with an empty folder of its own, which is removed afterwards.
    public func inScratch<Value: Sendable>(
        _ body: @Sendable (String) async throws -> Value
    ) async throws -> Value {
        let scratch = try await onDisk { try self.makeScratchDirectory() }
        let result: Result<Value, any Error>
        do { result = .success(try await body(scratch)) } catch { result = .failure(error) }
        try await onDisk { try self.deleteScratchDirectory(scratch) }
        return try result.get()
    }
}
