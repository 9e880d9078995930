import Support

/// What the archives within an upload unpack to, all together, against the upload's own size: each may be within its own
/// limit, and all of them beyond any.
final class ExpansionLimit {
    private let size: Int
    private var delivered = 0

    /// - Parameter size: of the upload in bytes; nil for a folder, where the files themselves take up the room.
    init?(size: Int?) {
        guard let size else { return nil }
        self.size = size
    }

    /// Counts bytes that an archive within gave.
    /// - Throws: `archive-expands-too-far`.
    func take(_ count: Int, at location: String) throws {
        delivered = Checked.sum(delivered, count) ?? .max
        let allowed = Checked.product(size, ArchiveReader.maximumExpansion) ?? .max
        guard delivered <= max(allowed, ArchiveReader.freeExpansion) else {
            throw Problem(
                .tooLarge, code: "archive-expands-too-far", title: "The archive expands too far",
                detail: "With the archives in it, its \(size) bytes unpack to more than "
                    + "\(ArchiveReader.maximumExpansion) times as much; image folders do not compress like that.",
                location: location,
                fix: "Pack the images themselves, without archives in archives or large files beside them.")
        }
    }
}
