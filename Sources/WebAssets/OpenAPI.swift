import Foundation

/// The description of the REST interface.
public enum OpenAPI {
    /// OpenAPI 3.1 as JSON.
    public static let document = EmbeddedAssets.document
}
