import CArchive
import DatasetFormats
import Foundation
import ImageCodecs
import Support

/// A folder that is removed with the object.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "burn-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { path + "/" + name }

    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let path = self(name)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }
}

/// An archive to be written by libarchive, whatever its entries are: tests write hostile ones too.
struct TestArchive {
    enum Format: String, CaseIterable {
        case zip, tar
        case tarGzip = "tar.gz"
        case tarXZ = "tar.xz"
        case tarZstandard = "tar.zst"
    }

    enum Content {
        case file([UInt8])
        case zeros(Int)
        case folder
        case symbolicLink(to: String)
        case hardLink(to: String)
        case pipe
    }

    struct Failure: Error {
        var text: String
    }

    var entries: [(name: [UInt8], content: Content)] = []
    var password: String?
    var extraGzip = false

    init(_ entries: [(String, Content)] = []) {
        self.entries = entries.map { (Array($0.0.utf8), $0.1) }
    }

    func write(_ format: Format, to path: String) throws {
        guard let archive = archive_write_new() else { throw Failure(text: "no memory") }
        defer { archive_write_free(archive) }
        func check(_ result: Int32) throws {
            guard result >= ARCHIVE_WARN else {
                throw Failure(text: archive_error_string(archive).map { String(cString: $0) } ?? "")
            }
        }
        try check(
            format == .zip
                ? archive_write_set_format_zip(archive) : archive_write_set_format_gnutar(archive))
        switch format {
        case .zip, .tar: break
        case .tarGzip: try check(archive_write_add_filter_gzip(archive))
        case .tarXZ: try check(archive_write_add_filter_xz(archive))
        case .tarZstandard: try check(archive_write_add_filter_zstd(archive))
        }
        if extraGzip { try check(archive_write_add_filter_gzip(archive)) }
        if let password {
            try check(archive_write_set_options(archive, "zip:encryption=traditional"))
            try check(archive_write_set_passphrase(archive, password))
        }
        try check(archive_write_open_filename(archive, path))
        for (name, content) in entries {
            guard let entry = archive_entry_new() else { throw Failure(text: "no memory") }
            defer { archive_entry_free(entry) }
            (name.map(CChar.init(bitPattern:)) + [0]).withUnsafeBufferPointer {
                archive_entry_copy_pathname(entry, $0.baseAddress)
            }
            archive_entry_set_perm(entry, 0o644)
            archive_entry_set_filetype(entry, 0o100000)
            switch content {
            case .file(let bytes):
                archive_entry_set_size(entry, Int64(bytes.count))
                try check(archive_write_header(archive, entry))
                if !bytes.isEmpty { try check(Int32(archive_write_data(archive, bytes, bytes.count))) }
            case .zeros(let count):
                archive_entry_set_size(entry, Int64(count))
                try check(archive_write_header(archive, entry))
                let block = [UInt8](repeating: 0, count: 1 << 20)
                for start in stride(from: 0, to: count, by: block.count) {
                    try check(Int32(archive_write_data(archive, block, min(block.count, count - start))))
                }
            case .folder:
                archive_entry_set_filetype(entry, 0o040000)
                try check(archive_write_header(archive, entry))
            case .symbolicLink(let target):
                archive_entry_set_filetype(entry, 0o120000)
                archive_entry_set_symlink(entry, target)
                try check(archive_write_header(archive, entry))
            case .hardLink(let target):
                archive_entry_set_hardlink(entry, target)
                try check(archive_write_header(archive, entry))
            case .pipe:
                archive_entry_set_filetype(entry, 0o010000)
                try check(archive_write_header(archive, entry))
            }
        }
        try check(archive_write_close(archive))
    }
}

/// A picture whose every byte follows from its seed: 4 x 3 pixels, RGB.
struct TestPicture {
    static let height = 3
    static let width = 4

    let pixels: [UInt8]

    init(_ seed: Int) {
        pixels = (0..<Self.height * Self.width * 3).map { UInt8(truncatingIfNeeded: seed &* 37 &+ $0 &* 11) }
    }

    var png: [UInt8] {
        get throws {
            Array(
                try PNGEncoder.encode(pixels, height: Self.height, width: Self.width, channels: 3))
        }
    }
}

/// The problem that `body` throws; nil when it throws nothing, or something else.
func problem<Value>(in body: () throws -> Value) -> Problem? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? Problem
    }
}
