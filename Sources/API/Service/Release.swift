import Findings

/// What this program calls itself.
public enum Release {
    public static let name = "burnd"
    public static let version = Engine.release
    /// The version of the REST API, the first segment of its paths.
    public static let api = "v1"
}
