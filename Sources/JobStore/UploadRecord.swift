import Findings
import Foundation
import Support

/// The life of a resumable upload.
public enum UploadState: String, Codable, Hashable, Sendable, CaseIterable {
    /// Bytes are missing.
    case receiving
    /// All bytes are there; a worker looks at them.
    case checking
    /// All bytes are there and were found good; the file is on its way into the store.
    case committing
    /// A model or data set was made of it.
    case finished
    /// All bytes were there and are not usable.
    case rejected
}

/// A resumable upload; its bytes lie in the artifact store.
public struct UploadRecord: Encodable, Hashable, Sendable {
    /// `upl_…`.
    public var id: String
    public var owner: String?
    public var kind: InputKind
    /// Of the model or data set that will be made of it.
    public var name: String
    /// Bytes of the whole file.
    public var length: Int
    /// The Upload-Metadata header as it came, with the query's import options added.
    public var metadata: String?
    /// What the client says that the whole file's SHA-256 is.
    public var expectedSHA256: String?
    public var state: UploadState
    /// Of the whole file; set once it is checked.
    public var sha256: String?
    /// The id of the model or data set; set exactly when finished.
    public var input: String?
    /// Set exactly when rejected.
    public var problem: Problem?
    public var createdAt: Date
    public var expiresAt: Date
}

/// What a resumable upload was made with, as for one that comes in one piece.
public enum UploadOptions: Hashable, Sendable {
    case none
    case model(ModelImport)
    case dataset(ImportOptions)
}

/// What a new upload is to be.
public struct UploadRequest: Hashable, Sendable {
    public var owner: String?
    public var kind: InputKind
    public var name: String
    public var length: Int
    public var metadata: String?
    public var expectedSHA256: String?
    public var expiresAt: Date

    public init(
        owner: String? = nil, kind: InputKind, name: String, length: Int, metadata: String? = nil,
        expectedSHA256: String? = nil, expiresAt: Date
    ) {
        self.owner = owner
        self.kind = kind
        self.name = name
        self.length = length
        self.metadata = metadata
        self.expectedSHA256 = expectedSHA256
        self.expiresAt = expiresAt
    }
}
