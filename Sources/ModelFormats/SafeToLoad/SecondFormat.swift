import Containers
import Support

/// Files that are of two formats at once: what one reader finds in them, another does not.
enum SecondFormat {
    private static let endRecord: [UInt8] = [0x50, 0x4B, 5, 6]
    private static let endRecordBytes = 22

    /// Whether a zip reader would find an archive in the file: it looks for the end record from behind.
    static func endsAsZip(_ file: RandomAccessFile) throws -> Bool {
        let count = min(file.size, endRecordBytes + Int(UInt16.max))
        guard count >= endRecordBytes else { return false }
        let tail = try file.bytes(at: file.size - count, count: count)
        for start in tail.indices.dropLast(endRecordBytes - 1) where tail[start] == endRecord[0] {
            guard tail[start...].starts(with: endRecord) else { continue }
            let comment = Int(tail[start + 20]) | Int(tail[start + 21]) << 8
            if start + endRecordBytes + comment == tail.count { return true }
        }
        return false
    }

    static func problem(_ formats: String) -> Problem {
        Problem(
            .unprocessable, code: "model-two-formats", title: "The file is of two formats at once",
            detail: "It is \(formats): what is found in it depends on who reads it.",
            fix: "Save the model anew with the program that made it.")
    }
}
