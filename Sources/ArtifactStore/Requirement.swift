import Support

extension ArtifactStore {
    /// - Throws: `Problem` `content-missing`.
    @discardableResult
    public func require(_ blob: Blob) throws -> String {
        guard let path = path(of: blob.sha256) else {
            throw Problem(
                .internal, code: "content-missing", title: "A stored file is not there",
                detail: "The content \(blob.sha256) was removed meanwhile.", fix: "Upload the file again.")
        }
        return path
    }
}
