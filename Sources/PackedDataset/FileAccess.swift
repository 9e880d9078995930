import Foundation
import Support

/// A failed system call as a problem; a full disk is told apart.
func fileProblem(_ action: String, _ path: String, _ error: Int32 = errno) -> Problem {
    let text = String(cString: strerror(error))
    if error == ENOSPC || error == EDQUOT {
        return Problem(
            .insufficientStorage, code: "disk-full", title: "There is no room left on the disk",
            detail: "\(action) failed: \(text).", location: path, fix: "Free disk space and try again.")
    }
    return Problem(
        .internal, code: "file-access-failed", title: "A file could not be used",
        detail: "\(action) failed: \(text).", location: path)
}

/// A file mapped read-only.
///
/// Sound as `@unchecked Sendable`: the mapping is made once, never written through, and lives until
/// `deinit`. The importer replaces such files only by writing new ones, never in place.
final class MappedFile: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer

    /// - Throws: `packed-dataset-damaged` unless the file is a regular one of exactly `expectedSize` bytes.
    init(directory: String, name: String, expectedSize: Int?) throws {
        let path = directory + "/" + name
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw PackedLayout.damaged(directory, "\(name) is missing.") }
            throw fileProblem("Opening", path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw fileProblem("Reading the size", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw PackedLayout.damaged(directory, "\(name) is no regular file.")
        }
        let size = Int(status.st_size)
        if let expectedSize, size != expectedSize {
            throw PackedLayout.damaged(
                directory, "\(name) has \(size) bytes; the manifest says \(expectedSize).")
        }
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED else {
            throw fileProblem("Mapping", path)
        }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit {
        if let start = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
        }
    }
}

/// A file being written, with a buffer of its own. Used by one thread at a time.
final class BufferedFile {
    private static let capacity = 1 << 20

    let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private(set) var count = 0

    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw fileProblem("Creating", path) }
        buffer.reserveCapacity(Self.capacity)
    }

    deinit { close(descriptor) }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        count += bytes.count
        if buffer.count + bytes.count > Self.capacity { try flush() }
        if bytes.count >= Self.capacity {
            try write(bytes)
        } else {
            buffer.append(contentsOf: bytes.assumingMemoryBound(to: UInt8.self))
        }
    }

    func append(littleEndian value: some FixedWidthInteger) throws {
        try withUnsafeBytes(of: value.littleEndian) { try append($0) }
    }

    func flush() throws {
        try buffer.withUnsafeBytes { try write($0) }
        buffer.removeAll(keepingCapacity: true)
    }

    func synchronize() throws {
        try flush()
        guard fsync(descriptor) == 0 else { throw fileProblem("Writing to disk", path) }
    }

    /// Replaces every Int32 of the file through `transform`, a block at a time.
    func rewriteInt32(_ transform: (Int32) -> Int32) throws {
        try flush()
        var block = [Int32](repeating: 0, count: Self.capacity / 4)
        var offset = 0
        while offset < count {
            let wanted = min(block.count * 4, count - offset)
            let read = block.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress, wanted, off_t(offset))
            }
            guard read > 0, read % 4 == 0 else { throw fileProblem("Reading", path) }
            for index in 0..<read / 4 {
                block[index] = transform(Int32(littleEndian: block[index])).littleEndian
            }
            let written = block.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, read, off_t(offset)) }
            guard written == read else { throw fileProblem("Writing", path) }
            offset += read
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let written = Foundation.write(descriptor, start, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw fileProblem("Writing", path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }
}
