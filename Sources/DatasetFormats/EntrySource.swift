/// One entry of an archive or folder, as it is written there.
struct SourceEntry {
    enum Kind {
        case file, directory, symbolicLink, hardLink, special
    }

    var name: String
    var kind: Kind
    var isEncrypted = false
    /// The archive within the upload that it lies in, with a slash at the end.
    var container = ""
}

/// Gives entries one after the other; the bytes of an entry can be read until the next one is asked for.
protocol EntrySource: AnyObject {
    /// Such as `tar.gz`.
    var formatName: String { get }
    var bytesRead: Int { get }
    var bytesTotal: Int? { get }
    /// How many images there are by their names, where that is known beforehand and cheap to tell.
    var imageCount: Int? { get }

    /// - Throws: `Problem` for a damaged archive.
    func next() throws -> SourceEntry?

    /// Appends at most `limit` bytes of the current entry's content. Fewer than `limit` come only at its end.
    func read(into bytes: inout [UInt8], limit: Int) throws
}

extension EntrySource {
    var imageCount: Int? { nil }
}
