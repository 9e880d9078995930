import CArchive
import Foundation
import ImageCodecs
import Support

/// Writes a tar archive of files, one after the other, in constant memory. Used by one thread at a time.
///
/// The same entries give the same bytes: owner, mode and time are fixed.
public final class ArchiveWriter {
    private let path: String
    private let archive: OpaquePointer
    private var isFinished = false

    /// Creates the file `path`.
    public init(path: String) throws {
        guard let archive = archive_write_new() else {
            throw Self.failed("There is no memory left.", path)
        }
        self.path = path
        self.archive = archive
        guard archive_write_set_format_pax_restricted(archive) == ARCHIVE_OK,
            archive_write_add_filter_none(archive) == ARCHIVE_OK,
            archive_write_open_filename(archive, path) == ARCHIVE_OK
        else { throw error() }
    }

    deinit {
        archive_write_free(archive)
        if !isFinished { unlink(path) }
    }

    /// - Parameter name: a relative path such as `train/cat/0001.png`.
    public func add(name: String, content: some ContiguousBytes) throws {
        try content.withUnsafeBytes { bytes in
            guard let entry = archive_entry_new() else { throw Self.failed("There is no memory left.", path) }
            defer { archive_entry_free(entry) }
            var owned: locale_t?
            let previous = carchive_use_utf8(&owned)
            defer { carchive_restore_locale(previous, owned) }
            archive_entry_set_pathname_utf8(entry, name)
            archive_entry_set_size(entry, Int64(bytes.count))
            carchive_set_regular_file(entry)
            archive_entry_set_perm(entry, 0o644)
            archive_entry_set_mtime(entry, 0, 0)
            guard archive_write_header(archive, entry) == ARCHIVE_OK else { throw error() }
            guard bytes.isEmpty || archive_write_data(archive, bytes.baseAddress, bytes.count) == bytes.count
            else { throw error() }
        }
    }

    /// Adds an image as PNG.
    /// - Parameters:
    ///   - pixels: H x W x C bytes.
    ///   - channels: 1 (grey) or 3 (RGB).
    public func addImage(
        name: String, pixels: some ContiguousBytes, height: Int, width: Int, channels: Int
    ) throws {
        // Level 1: a third of the time of level 6, for a few per cent more bytes.
        let png = try PNGEncoder.encode(pixels, height: height, width: width, channels: channels, level: 1)
        try add(name: name, content: png)
    }

    /// Writes the archive's end. A writer that is dropped without it removes its file.
    public func finish() throws {
        guard archive_write_close(archive) == ARCHIVE_OK else { throw error() }
        isFinished = true
    }

    private func error() -> Problem {
        if archive_errno(archive) == ENOSPC {
            return Problem(
                .insufficientStorage, code: "disk-full", title: "There is no room left on the disk",
                detail: "Writing the archive failed.", location: path, fix: "Free disk space and try again.")
        }
        return Self.failed(
            archive_error_string(archive).map { String(cString: $0) } ?? "no reason given", path)
    }

    private static func failed(_ reason: String, _ path: String) -> Problem {
        Problem(
            .internal, code: "archive-writing-failed", title: "An archive could not be written",
            detail: reason, location: path)
    }
}
