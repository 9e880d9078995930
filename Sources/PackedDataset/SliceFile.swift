import Foundation
import Support

/// Where pieces of bytes lie one after the other: a file of them, and a table of N + 1 little-endian UInt64 of
/// where each begins, and the end. The table is put in place last: without it there are no pieces.
public struct SliceFile: Hashable, Sendable {
    /// File names.
    public var data: String
    public var table: String
    /// Bytes of the largest piece.
    public var mostBytes: Int

    public init(data: String, table: String, mostBytes: Int) {
        self.data = data
        self.table = table
        self.mostBytes = mostBytes
    }

    /// Small JPEG pictures of a packed data set's images, kept beside it. The longest side is at most 64 pixels.
    public static let thumbnails = SliceFile(
        data: "thumbnails.jpegs", table: "thumbnails.u64", mostBytes: 64 << 10)
    public static let thumbnailSide = 64

    /// Whether a folder has the pieces.
    public func exists(in directory: String) -> Bool {
        access(directory + "/" + table, R_OK) == 0
    }

    /// Piece `index` of `count`. Nothing in the files is trusted. Blocks on the disk.
    /// - Returns: nil when there are no pieces.
    /// - Throws: `Problem` `slices-damaged`; `file-access-failed`.
    public func read(_ index: Int, of count: Int, in directory: String) throws -> Data? {
        precondition((0..<count).contains(index), "there is no such piece")
        guard let places = try Descriptor(directory, table) else { return nil }
        guard let pieces = try Descriptor(directory, data) else { throw damaged(directory, "no \(data)") }
        guard places.size == (count + 1) * 8 else {
            throw damaged(directory, "\(table) has \(places.size) bytes, not those of \(count) pieces")
        }
        let bounds = try places.read(16, at: index * 8).withUnsafeBytes { bytes in
            [0, 8].map { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self)) }
        }
        guard bounds[0] <= bounds[1], bounds[1] <= UInt64(pieces.size),
            bounds[1] - bounds[0] <= UInt64(mostBytes)
        else { throw damaged(directory, "piece \(index) lies at \(bounds[0]) to \(bounds[1])") }
        return try pieces.read(Int(bounds[1] - bounds[0]), at: Int(bounds[0]))
    }

    private func damaged(_ directory: String, _ detail: String) -> Problem {
        Problem(
            .internal, code: "slices-damaged", title: "A stored file is damaged",
            detail: detail + ".", location: directory)
    }
}

/// A regular file that is read here and there.
private struct Descriptor: ~Copyable {
    let path: String
    let size: Int
    private let descriptor: Int32

    /// Nil when there is none.
    init?(_ directory: String, _ name: String) throws {
        path = directory + "/" + name
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        var status = stat()
        guard descriptor >= 0 else {
            size = 0
            if errno == ENOENT { return nil }
            throw fileProblem("Opening", path)
        }
        let known = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        size = known ? Int(status.st_size) : 0
        guard known else { throw fileProblem("Opening", path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func read(_ count: Int, at offset: Int) throws -> Data {
        var data = Data(count: count)
        var done = 0
        while done < count {
            let got = data.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress?.advanced(by: done), count - done, off_t(offset + done))
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw fileProblem("Reading", path) }
            done += got
        }
        return data
    }
}

/// Writes the two files of a `SliceFile`, piece by piece, in constant memory. A writer that is dropped before
/// `finish` leaves nothing behind. Used by one thread at a time.
public final class SliceWriter {
    private let layout: SliceFile
    private let directory: String
    private let data: BufferedFile
    private let table: BufferedFile
    private var isFinished = false

    public init(_ layout: SliceFile, in directory: String) throws {
        self.layout = layout
        self.directory = directory
        data = try BufferedFile(path: directory + "/" + layout.data + ".part")
        table = try BufferedFile(path: directory + "/" + layout.table + ".part")
        try table.append(littleEndian: UInt64(0))
    }

    deinit {
        guard !isFinished else { return }
        for file in [data, table] { unlink(file.path) }
    }

    /// - Throws: `slice-too-large`; `disk-full`.
    public func append(_ bytes: Data) throws {
        guard bytes.count <= layout.mostBytes else {
            throw Problem(
                .internal, code: "slice-too-large", title: "A picture is larger than it can be",
                detail: "\(bytes.count) bytes; at most \(layout.mostBytes) are kept.")
        }
        try bytes.withUnsafeBytes { try data.append($0) }
        try table.append(littleEndian: UInt64(data.count))
    }

    /// Makes both files durable and puts them in place.
    public func finish() throws {
        for (file, name) in [(data, layout.data), (table, layout.table)] {
            try file.synchronize()
            try DurableFile.move(file.path, to: directory + "/" + name)
        }
        isFinished = true
    }
}
