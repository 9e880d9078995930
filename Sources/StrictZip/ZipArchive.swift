import Problems

/// A zip archive whose whole structure has been checked. Nothing is decompressed.
public struct ZipArchive: Sendable {
    public let path: String
    /// In the order of the central directory.
    public let entries: [ZipEntry]

    /// Opens the file at `path` and checks its end record, central directory and local headers.
    /// - Throws: `Problem` (`zip-…`) that names the entry.
    public init(path: String, limits: ZipLimits = ZipLimits()) throws {
        throw Problem(
            .unavailable, code: "zip-reader", title: "Interface only", detail: path)
    }

    /// The entry of this name; nil where there is none.
    public subscript(name: String) -> ZipEntry? { entries.first { $0.name == name } }
}
