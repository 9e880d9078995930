import Foundation
import Testing

/// One file that somebody might send to break the service, and the problem that must be the answer.
struct HostileUpload: CustomTestStringConvertible, Sendable {
    enum Collection: String, Sendable { case models, datasets }

    var testDescription: String
    var collection: Collection
    /// The codes of acceptable problems.
    var codes: [String]
    var make: @Sendable () -> [UInt8]

    init(
        _ name: String, _ collection: Collection, _ codes: String..., make: @escaping @Sendable () -> [UInt8]
    ) {
        testDescription = name
        self.collection = collection
        self.codes = codes
        self.make = make
    }
}

/// A tar archive (ustar) of headers that may lie.
struct TinyTar {
    struct Entry {
        var name: [UInt8]
        var data: [UInt8] = []
        /// As the header says it; nil: the size of the data.
        var size: String?
        var type: Character = "0"
        var link = ""
        var breaksChecksum = false

        init(_ name: String, _ data: [UInt8] = []) {
            self.name = Array(name.utf8)
            self.data = data
        }
    }

    var entries: [Entry]
    var hasEnd = true

    var bytes: [UInt8] {
        entries.flatMap { Self.block($0) } + [UInt8](repeating: 0, count: hasEnd ? 1_024 : 0)
    }

    private static func block(_ entry: Entry) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Collection<UInt8>, _ offset: Int, _ width: Int) {
            for (index, byte) in text.prefix(width).enumerated() { header[offset + index] = byte }
        }
        func octal(_ value: Int, _ width: Int) -> [UInt8] {
            let digits = String(value, radix: 8)
            return Array((String(repeating: "0", count: max(0, width - digits.count)) + digits).utf8)
        }
        put(entry.name, 0, 100)
        put("0000644".utf8, 100, 8)
        put("0000000".utf8, 108, 8)
        put("0000000".utf8, 116, 8)
        put(entry.size.map { Array($0.utf8) } ?? octal(entry.data.count, 11), 124, 12)
        put("00000000000".utf8, 136, 12)
        put("        ".utf8, 148, 8)
        put(String(entry.type).utf8, 156, 1)
        put(entry.link.utf8, 157, 100)
        put("ustar\u{0}00".utf8, 257, 8)
        let sum = header.reduce(0) { $0 + Int($1) } + (entry.breaksChecksum ? 1 : 0)
        put(octal(sum, 6) + [0, 0x20], 148, 8)
        let padding = (512 - entry.data.count % 512) % 512
        return header + entry.data + [UInt8](repeating: 0, count: padding)
    }
}

/// Deflate data of a few bytes that unpacks to many zeros: one literal, then copies of 258 bytes from one
/// byte back, 13 bits each (RFC 1951, fixed codes).
enum Bomb {
    static func deflate(copies: Int) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(copies * 13 / 8 + 8)
        var (byte, filled) = (UInt8(0), 0)
        func put(_ bit: Int) {
            byte |= UInt8(bit) << UInt8(filled)
            filled += 1
            if filled == 8 {
                output.append(byte)
                (byte, filled) = (0, 0)
            }
        }
        // The last block, with fixed codes; the byte 0; the copies; the end.
        for bit in [1, 1, 0] + [0, 0, 1, 1, 0, 0, 0, 0] { put(bit) }
        for _ in 0..<copies { for bit in [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0] { put(bit) } }
        for _ in 0..<7 + 7 { put(0) }
        return output
    }

    /// About 158 times as large once it is unpacked.
    static func gzip(copies: Int) -> [UInt8] {
        [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + deflate(copies: copies) + [UInt8](repeating: 0, count: 8)
    }
}
