import Foundation

/// The description of the REST interface.
public enum OpenAPI {
    /// OpenAPI 3.1 as JSON.
    public static let document = EmbeddedAssets.document

    /// The same with the server's address.
    /// - Parameter base: the path below which clients reach the service, such as `/burn`.
    public static func document(below base: String) -> Data {
        guard !base.isEmpty, let place = document.range(of: Data("\"url\": \"/\"".utf8)) else {
            return document
        }
        var moved = document
        moved.replaceSubrange(place, with: Data("\"url\": \"\(base)\"".utf8))
        return moved
    }
}
