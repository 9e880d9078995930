import Containers
import Foundation
import Graph
import Support

/// Writes a copy of an archive with new bytes for some weights: to a temporary file beside the
/// destination, which is moved into place when all of it is on disk.
struct ModelWriter {
    private let original: RandomAccessFile
    private let destination: String
    private let temporary: String
    private let descriptor: Int32
    private var touched: [String: ZipEntry] = [:]

    init(copyOf original: RandomAccessFile, to destination: String) throws {
        self.original = original
        self.destination = destination
        var template = Array((destination + ".XXXXXX").utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw Self.failure("create", destination)
        }
        temporary = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do {
            var offset = 0
            try original.forEachPiece(at: 0, count: original.size) { piece in
                try write(piece, at: offset)
                offset += piece.count
            }
        } catch {
            abandon()
            throw error
        }
    }

    /// - Parameter bytes: the elements in row-major order.
    mutating func replace(_ stored: StoredWeight, with bytes: [UInt8]) throws {
        let weight = stored.location
        let width = weight.type.byteCount
        guard let layout = WeightLayout(shape: weight.shape, strides: weight.strides),
            bytes.count == layout.count * width
        else {
            throw ModelFault.replacement.problem(
                "“\(weight.name)” has \(bytes.count) new bytes, which do not fit its shape \(weight.shape).")
        }
        var span = bytes
        if !layout.isRowMajor {
            // What lies between the elements stays.
            span = try original.bytes(at: weight.fileOffset, count: weight.byteCount)
            var source = 0
            layout.forEachElement { position in
                span.replaceSubrange(
                    position * width..<(position + 1) * width, with: bytes[source..<source + width])
                source += width
            }
        }
        try span.withUnsafeBytes { try write($0, at: weight.fileOffset) }
        if let entry = stored.entry { touched[entry.name] = entry }
    }

    /// Corrects the checksums of the entries that changed, and moves the file into place, durably.
    func finish() throws {
        let copy = try RandomAccessFile(path: temporary)
        for entry in touched.values {
            var checksum = Checksum()
            try copy.forEachPiece(at: entry.dataOffset, count: entry.size) { checksum.update($0) }
            var places = [entry.centralRecordOffset + 16]
            if let offset = entry.descriptorCRCOffset { places.append(offset) }
            // With a data descriptor the local header may leave the field zero.
            let local = entry.localHeaderOffset + 14
            if try copy.bytes(at: local, count: 4).contains(where: { $0 != 0 })
                || entry.descriptorCRCOffset == nil
            {
                places.append(local)
            }
            for place in places {
                try withUnsafeBytes(of: checksum.value.littleEndian) { try write($0, at: place) }
            }
        }
        guard fsync(descriptor) == 0 else {
            throw Self.failure("write", destination)
        }
        try Self.move(temporary, to: destination)
        close(descriptor)
    }

    /// Puts a finished file into its place, durably.
    static func move(_ temporary: String, to destination: String) throws {
        try DurableFile.move(temporary, to: destination) { failure($0, $1, $2) }
    }

    /// Removes what was written. Not after `finish`.
    func abandon() {
        close(descriptor)
        unlink(temporary)
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        guard writeWhole(bytes, to: descriptor, at: offset) else { throw Self.failure("write", destination) }
    }

    private static func failure(_ action: String, _ path: String, _ code: Int32 = errno) -> Problem {
        Problem(
            code == ENOSPC || code == EDQUOT ? .insufficientStorage : .internal, code: "model-not-written",
            title: "The purified model cannot be written",
            detail:
                "Cannot \(action) \((path as NSString).lastPathComponent): \(String(cString: strerror(code)))",
            fix: "Free disk space, or name a folder that you may write to.")
    }
}
