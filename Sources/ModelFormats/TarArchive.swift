import Containers
import Foundation
import Support

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
        guard file.size >= 1_024 else { return false }
        return try file.bytes(at: 257, count: 5).elementsEqual("ustar".utf8)
    }

    // bounded: numbers of the file go through `Checked`, against the size of the file.
    /// - Throws: `Problem` `tar-damaged`, `model-too-large`.
    init(_ file: RandomAccessFile, maximumEntries: Int) throws {
        var entries: [Entry] = []
        var names: Set<String> = []
        var position = 0
        var extended = TarExtension()
        while true {
            guard let block = Checked.range(position, count: Self.block, in: 0..<file.size) else {
                throw Self.damaged("Its end mark is missing: it may be cut off.")
            }
            let header = try file.bytes(at: position, count: Self.block)
            if header.allSatisfy({ $0 == 0 }) { break }
            try Self.checkSum(header, position)
            let kind = header[156]
            let isExtension = TarExtension.kinds.contains(kind)
            // A size of an extended header is that of the entry, not of another header before it.
            let size = try (isExtension ? nil : extended.size) ?? Self.number(header[124..<136], position)
            guard let content = Checked.range(block.upperBound, count: size, in: 0..<file.size),
                let padding = Checked.range(
                    content.upperBound, count: (Self.block - size % Self.block) % Self.block,
                    in: 0..<file.size)
            else { throw Self.damaged("An entry at \(position) reaches beyond the end of the file.") }
            position = padding.upperBound
            if isExtension {
                guard size <= Self.maximumExtension else {
                    throw Self.damaged("The extended header at \(content.lowerBound) has \(size) bytes.")
                }
                try extended.read(file.bytes(at: content.lowerBound, count: size), kind: kind)
                continue
            }
            switch kind {
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
                guard let name = extended.name ?? Self.name(header) else {
                    throw Self.damaged("The name of the entry at \(content.lowerBound) is not UTF-8.")
                }
                guard entries.count < maximumEntries else {
                    throw ModelFault.tooLarge.problem("The archive has more than \(maximumEntries) files.")
                }
                let plain = try Self.plain(name)
                guard names.insert(plain).inserted else {
                    throw Self.damaged("“\(plain.prefix(120))” is there twice.")
                }
                entries.append(Entry(name: plain, range: content))
            case UInt8(ascii: "5"):
                guard size == 0 else {
                    throw Self.damaged("A folder at \(content.lowerBound) has a content.")
                }
            default:
                let name = (extended.name ?? Self.name(header)).map { "“\($0.prefix(120))”" }
                throw Self.damaged(
                    "\(name ?? "The entry at \(content.lowerBound)") is neither a file nor a folder: it is of the type \(kind)."
                )
            }
            extended = TarExtension()
        }
        guard extended.isEmpty else { throw Self.damaged("An extended header belongs to no entry.") }
        // What lies behind the first zero block is read by some programs, and not by others.
        try file.forEachPiece(at: position, count: file.size - position) { piece in
            guard piece.allSatisfy({ $0 == 0 }) else { throw Self.damaged("Something follows its end mark.") }
        }
        self.entries = entries
    }

    /// `./model.onnx` is what tar calls a file of the folder that it was given: the name without that.
    private static func plain(_ name: String) throws -> String {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let kept = parts.drop { $0 == "." }
        guard name.utf8.count <= 1_024, !kept.isEmpty,
            !kept.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }),
            !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F || $0 == "\\" })
        else { throw damaged("“\(name.prefix(120))” is no plain path below the archive's folder.") }
        return kept.joined(separator: "/")
    }

    /// The sum of the header's bytes, with spaces for the sum itself.
    private static func checkSum(_ header: [UInt8], _ position: Int) throws {
        let stated = try number(header[148..<156], position)
        let sum = header.indices.reduce(0) {
            $0 + ((148..<156).contains($1) ? 0x20 : Int(widened: header[$1]))
        }
        guard stated == sum else { throw damaged("The header at \(position) has a wrong checksum.") }
    }

    /// Octal digits, or the base-256 form of GNU tar.
    private static func number(_ field: ArraySlice<UInt8>, _ position: Int) throws -> Int {
        if field.first == 0x80 {
            var value = 0
            for byte in field.dropFirst() {
                guard let next = Checked.product(value, 256).flatMap({ Checked.sum($0, Int(widened: byte)) })
                else {
                    throw damaged("A number in the header at \(position) is too large.")
                }
                value = next
            }
            return value
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

    static func damaged(_ detail: String) -> Problem {
        Problem(
            .malformed, code: "tar-damaged", title: "The tar archive is damaged", detail: detail,
            fix: "Pack it again: tar -cf model.tar model.onnx model.onnx.data")
    }
}
