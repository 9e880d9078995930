import CZlib
import Support

// bounded in this file: by the size of a piece, and the limit.

/// Decompresses gzip data that fits in memory.
public enum Gunzip {
    /// - Throws: `Problem` `gzip-damaged`, or `gzip-limit` where it unpacks to more than `limit` bytes.
    public static func bytes(_ compressed: [UInt8], limit: Int) throws -> [UInt8] {
        var stream = z_stream()
        // 16: a gzip header is expected.
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw damaged("There is no memory for it.")
        }
        defer { inflateEnd(&stream) }
        var result: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        var input = compressed
        var status = Z_OK
        try input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = uInt(clamping: input.count)
            while status == Z_OK {
                let written = piece.withUnsafeMutableBufferPointer { output in
                    stream.next_out = output.baseAddress
                    stream.avail_out = uInt(output.count)
                    status = inflate(&stream, Z_NO_FLUSH)
                    return output.count - Int(widened: stream.avail_out)
                }
                guard result.count + written <= limit else {
                    throw Problem(
                        .tooLarge, code: "gzip-limit", title: "The compressed data is over a limit",
                        detail: "It unpacks to more than \(limit) bytes.",
                        fix: "Pack the file anew, without what is not part of the set.")
                }
                result += piece[..<written]
            }
        }
        guard status == Z_STREAM_END else { throw damaged("It is cut short or changed.") }
        return result
    }

    private static func damaged(_ detail: String) -> Problem {
        Problem(
            .malformed, code: "gzip-damaged", title: "The compressed data is damaged", detail: detail,
            fix: "Compare the file's size and digest with the original.")
    }
}
