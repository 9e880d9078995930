import ArtifactStore
import Findings
import Foundation
import Support

/// The life of an uploaded model or data set.
public enum InputState: String, Codable, Hashable, Sendable, CaseIterable {
    /// Stored; a worker still has to decode or probe it.
    case importing
    case ready
    /// Not usable, with the problem.
    case rejected
}

/// An uploaded model or data set.
public struct InputRecord<Summary: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    /// `mdl_…` or `dst_…`.
    public var id: String
    public var name: String
    /// The upload as it came.
    public var blob: Blob
    public var state: InputState
    /// Set exactly when rejected.
    public var problem: Problem?
    /// Set when ready.
    public var summary: Summary?
    /// The id of the API key it came with, if any.
    public var owner: String?
    /// What a model was uploaded with; nil for a data set.
    public var modelImport: ModelImport?
    /// What a data set was uploaded with; nil for a model.
    public var importOptions: ImportOptions?
    public var createdAt: Date
}

public typealias ModelRecord = InputRecord<ModelSummary>
public typealias DatasetRecord = InputRecord<DatasetSummary>
