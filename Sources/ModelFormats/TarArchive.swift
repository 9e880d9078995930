import Foundation
import Problems
import StrictZip

/// The files of an uncompressed tar and where their bytes lie: ustar, with the long names and sizes of pax and GNU tar.
/// Links, devices and sparse files are refused.
struct TarArchive {
    struct Entry: Hashable {
        var name: String
        var range: Range<Int>
    }

    let entries: [Entry]

    private static let block = 512
    private static let maximumExtension = 1 << 20

    /// Whether a file begins as a tar does.
    static func begins(_ file: RandomAccessFile) throws -> Bool {
        guard file.size >= 2 * block else { return false }
        return try file.bytes(at: 257, count: 5).elementsEqual("ustar".utf8)
    }

    /// - Throws: `Problem` `tar-damaged`, `model-too-large`.
    init(_ file: RandomAccessFile, maximumEntries: Int) throws {
        var entries: [Entry] = []
        var names: Set<String> = []
        var position = 0
        var long: (name: String?, size: Int?) = (nil, nil)
        while true {
            guard position <= file.size - Self.block else {
                throw Self.damaged("Its end mark is missing: it may be cut off.")
            }
            let header = try file.bytes(at: position, count: Self.block)
            if header.allSatisfy({ $0 == 0 }) { break }
            try Self.checkSum(header, position)
            let kind = header[156]
            let size = try long.size ?? Self.number(header[124..<136], position)
            let start = position + Self.block
            guard size <= file.size - start else {
                throw Self.damaged("An entry at \(position) reaches beyond the end of the file.")
            }
            position = start + (size + Self.block - 1) / Self.block * Self.block
            switch kind {
            case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"):
                guard size <= Self.maximumExtension else {
                    throw Self.damaged("The extended header at \(start) has \(size) bytes.")
                }
                let content = try file.bytes(at: start, count: size)
                if kind == UInt8(ascii: "L") {
                    long.name = String(validating: content.prefix { $0 != 0 }, as: UTF8.self)
                } else if kind == UInt8(ascii: "x") {
                    try Self.read(content, into: &long)
                }
                continue
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
                guard let name = long.name ?? Self.name(header) else {
                    throw Self.damaged("The name of the entry at \(start) is not UTF-8.")
                }
                guard entries.count < maximumEntries else {
                    throw ModelFault.tooLarge.problem("The archive has more than \(maximumEntries) files.")
                }
                guard names.insert(name).inserted else {
                    throw Self.damaged("“\(name.prefix(120))” is there twice.")
                }
                entries.append(Entry(name: name, range: start..<start + size))
            case UInt8(ascii: "5"): break
            default:
                throw Self.damaged(
                    "The entry at \(start) is neither a file nor a folder: it is of the type \(kind).")
            }
            long = (nil, nil)
        }
        self.entries = entries
    }

    /// The sum of the header's bytes, with spaces for the sum itself.
    private static func checkSum(_ header: [UInt8], _ position: Int) throws {
        let stated = try number(header[148..<156], position)
        let sum = header.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 0x20 : Int(header[$1])) }
        guard stated == sum else { throw damaged("The header at \(position) has a wrong checksum.") }
    }

    /// Octal digits, or the base-256 form of GNU tar.
    private static func number(_ field: ArraySlice<UInt8>, _ position: Int) throws -> Int {
        if field.first == 0x80 {
            guard field.dropFirst().prefix(field.count - 9).allSatisfy({ $0 == 0 }),
                (field.suffix(8).first ?? 0) < 0x40
            else { throw damaged("A number in the header at \(position) is too large.") }
            return field.suffix(8).reduce(0) { $0 << 8 | Int($1) }
        }
        let digits = field.drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
        let rest = field[digits.endIndex...]
        guard !digits.isEmpty, rest.allSatisfy({ $0 == 0 || $0 == 0x20 }),
            let value = Int(String(decoding: digits, as: UTF8.self), radix: 8)
        else { throw damaged("A number in the header at \(position) is not valid.") }
        return value
    }

    private static func name(_ header: [UInt8]) -> String? {
        let name = header[..<100].prefix { $0 != 0 }
        let prefix = header[345..<500].prefix { $0 != 0 }
        // GNU's old form ("ustar  ") has times where POSIX has the prefix.
        let isPOSIX = header[263] == UInt8(ascii: "0")
        let bytes = isPOSIX && !prefix.isEmpty ? Array(prefix) + [UInt8(ascii: "/")] + name : Array(name)
        return String(validating: bytes, as: UTF8.self)
    }

    /// The records `length key=value\n` of a pax header.
    private static func read(_ content: [UInt8], into long: inout (name: String?, size: Int?)) throws {
        var rest = content[...]
        while let space = rest.firstIndex(of: 0x20), rest.first != 0 {
            guard let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
                length > space - rest.startIndex + 1, length <= rest.count
            else { throw damaged("An extended header is not valid.") }
            let record = rest[(space + 1)..<(rest.startIndex + length)].dropLast()
            rest = rest.dropFirst(length)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")),
                let value = String(validating: record[(equals + 1)...], as: UTF8.self)
            else { throw damaged("An extended header is not valid.") }
            switch String(decoding: record[..<equals], as: UTF8.self) {
            case "path": long.name = value
            case "size":
                guard let size = Int(value), size >= 0, size < 1 << 62 else {
                    throw damaged("A size of an extended header is not valid.")
                }
                long.size = size
            case let key where key.hasPrefix("GNU.sparse"): throw damaged("It holds a sparse file.")
            default: continue
            }
        }
    }

    private static func damaged(_ detail: String) -> Problem {
        Problem(
            .malformed, code: "tar-damaged", title: "The tar archive is damaged", detail: detail,
            fix: "Pack it again: tar -cf model.tar model.onnx model.onnx.data")
    }
}
