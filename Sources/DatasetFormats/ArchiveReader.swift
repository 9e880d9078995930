import CArchive
import Containers
import Foundation
import ImageCodecs
import Support

/// Reads an archive through libarchive, with just the one format and filter that its content calls for.
///
/// The thread's locale must be a UTF-8 one (libarchive converts names by it).
final class ArchiveReader: EntrySource {
    /// What an archive may unpack to, against its own size: image files hardly compress, and the headers and
    /// padding of the smallest ones by less than 50.
    static let maximumExpansion = 200
    /// Up to this many bytes any expansion goes.
    static let freeExpansion = 64 << 20

    /// For messages.
    private let path: String
    private let format: ArchiveFormat
    private let file: FileHandle
    private var descriptor: Int32 { file.fileDescriptor }
    private let archive: OpaquePointer
    private let size: Int
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var delivered = 0
    /// What `outer` knows of.
    private var counted = 0
    private var entryName = ""
    /// Whether `path` is the file's, and not just a name.
    private let isOnDisk: Bool
    /// Of the upload that it lies in.
    private let outer: ExpansionLimit?

    var formatName: String { format.rawValue }
    var bytesTotal: Int? { size }
    /// A zip's directory at its end names all entries.
    private(set) lazy var imageCount: Int? = {
        guard format == .zip, isOnDisk, let file = try? RandomAccessFile(path: path) else { return nil }
        let limits = ZipLimits(maximumEntries: 20_000_000, maximumDirectoryBytes: 4 << 30)
        let images = try? ZipArchive.scan(file, limits: limits) { name in
            ImageFormat.isImageName(name) && (try? EntryPath(name))?.isClutter == false
        }
        return images?.counted
    }()
    var bytesRead: Int { Int(clamping: archive_filter_bytes(archive, -1)) }

    convenience init(path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else {
            throw Problem(
                .internal, code: "file-access-failed", title: "A file could not be used",
                detail: "Opening failed: \(String(cString: strerror(errno))).", location: path)
        }
        try self.init(
            FileHandle(fileDescriptor: descriptor, closeOnDealloc: true), name: path, isOnDisk: true)
    }

    /// - Parameters:
    ///   - file: open at its beginning.
    ///   - name: for messages.
    ///   - outer: of the upload that it lies in.
    init(_ file: FileHandle, name: String, isOnDisk: Bool = false, within outer: ExpansionLimit? = nil) throws
    {
        var status = stat()
        guard fstat(file.fileDescriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ArchiveFormat.unsupported("It is neither a file nor a folder.", path: name)
        }
        format = try ArchiveFormat.detect(Self.bytes(of: file.fileDescriptor, at: 0, count: 512), path: name)
        guard let archive = archive_read_new() else {
            throw Problem(
                .internal, code: "no-memory", title: "There is no memory left",
                detail: "The archive could not be opened.", location: name)
        }
        path = name
        self.file = file
        self.isOnDisk = isOnDisk
        self.outer = outer
        self.archive = archive
        size = Int(widened: status.st_size)
        try start()
    }

    deinit { archive_read_free(archive) }

    private func start() throws {
        let ready: Int32 =
            switch format {
            case .zip: archive_read_support_format_zip_seekable(archive)
            case .tar: archive_read_support_format_tar(archive)
            case .tarGzip:
                min(archive_read_support_filter_gzip(archive), archive_read_support_format_tar(archive))
            case .tarXZ:
                min(archive_read_support_filter_xz(archive), archive_read_support_format_tar(archive))
            case .tarZstandard:
                min(archive_read_support_filter_zstd(archive), archive_read_support_format_tar(archive))
            }
        // A warning would mean that libarchive was built without the library and would start a program.
        guard ready == ARCHIVE_OK else {
            throw Problem(
                .internal, code: "archive-support-missing", title: "The archive library lacks a format",
                detail: "libarchive was built without \(format.rawValue).", location: path)
        }
        if format == .tar { try checkEndMark() }
        guard archive_read_open_fd(archive, descriptor, 1 << 17) == ARCHIVE_OK else {
            throw damaged(format == .zip ? "It may be cut off: the directory at its end is missing." : nil)
        }
    }

    func next() throws -> SourceEntry? {
        try checkExpansion(declared: 0)
        var entry: OpaquePointer?
        let result = archive_read_next_header(archive, &entry)
        if result == ARCHIVE_EOF {
            // The last entry may have been passed over.
            try checkExpansion(declared: 0)
            return nil
        }
        guard result == ARCHIVE_OK || result == ARCHIVE_WARN, let entry else { throw damaged(nil) }
        if archive_filter_count(archive) > 2 {
            throw ArchiveFormat.unsupported("It is compressed more than once.", path: path)
        }
        guard let bytes = archive_entry_pathname(entry), let name = String(validatingCString: bytes) else {
            throw Problem(
                .unprocessable, code: "entry-name-invalid", title: "An entry's name cannot be used",
                detail: "The name of the entry after the one given here is not UTF-8.", location: entryName,
                fix: "Rename the files and folders with plain letters and pack them again.")
        }
        entryName = name
        if archive_entry_size_is_set(entry) != 0, format != .zip {
            try checkExpansion(declared: Int(clamping: archive_entry_size(entry)))
        }
        let kind: SourceEntry.Kind =
            switch carchive_entry_kind(entry) {
            case CARCHIVE_FILE: .file
            case CARCHIVE_DIRECTORY: .directory
            case CARCHIVE_SYMLINK: .symbolicLink
            case CARCHIVE_HARDLINK: .hardLink
            default: .special
            }
        return SourceEntry(
            name: name, kind: kind,
            isEncrypted: archive_entry_is_data_encrypted(entry) != 0
                || archive_entry_is_metadata_encrypted(entry) != 0)
    }

    func read(into bytes: inout [UInt8], limit: Int) throws {
        var left = limit
        while left > 0 {
            let got = buffer.withUnsafeMutableBytes {
                archive_read_data(archive, $0.baseAddress, min(left, $0.count))
            }
            guard got >= 0 else { throw damaged(nil) }
            if got == 0 { return }
            bytes.append(contentsOf: buffer[..<got])
            // bounded: at most what was asked for.
            left -= got
            // bounded: `checkExpansion` follows each piece.
            delivered += got
            try checkExpansion(declared: 0)
        }
    }

    /// - Parameter declared: bytes that the current entry says it will unpack to.
    private func checkExpansion(declared: Int) throws {
        let filtered = format == .zip ? 0 : Int(clamping: archive_filter_bytes(archive, 0))
        let found = max(delivered, filtered)
        // bounded: it only ever grows.
        try outer?.take(found - counted, at: entryName)
        counted = found
        let unpacked = found.addingReportingOverflow(declared)
        let allowed = size.multipliedReportingOverflow(by: Self.maximumExpansion)
        guard !unpacked.overflow,
            unpacked.partialValue <= Self.freeExpansion || allowed.overflow
                || unpacked.partialValue <= allowed.partialValue
        else {
            throw Problem(
                .tooLarge, code: "archive-expands-too-far", title: "The archive expands too far",
                detail: "Its \(size) bytes unpack to more than \(Self.maximumExpansion) times as much; image "
                    + "folders do not compress like that.", location: entryName,
                fix: "Pack the images themselves, without large files beside them.")
        }
    }

    /// A tar that was cut off between two entries looks whole but for the zero blocks at its end.
    private func checkEndMark() throws {
        let tail = Self.bytes(of: descriptor, at: max(0, size - 512), count: 512)
        guard size % 512 == 0, tail.allSatisfy({ $0 == 0 }) else {
            throw damaged("It may be cut off: its end mark is missing.")
        }
    }

    private func damaged(_ detail: String?) -> Problem {
        let cause = archive_error_string(archive).map { String(cString: $0) }
        return Problem(
            .malformed, code: "archive-damaged", title: "The archive is damaged",
            detail: detail ?? "Reading it as \(format.rawValue) failed: \(cause ?? "no reason is given").",
            location: entryName.isEmpty ? path : entryName,
            fix: "Compare its size and checksum with the original's, or pack it again.")
    }

    private static func bytes(of descriptor: Int32, at offset: Int, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, pread(descriptor, buffer.baseAddress, count, off_t(offset)))
        }
    }
}
