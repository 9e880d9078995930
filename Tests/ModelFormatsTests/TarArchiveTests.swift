import Containers
import Foundation
import Support
import Testing

@testable import ModelFormats

@Suite("Tar archives of models")
struct TarArchiveTests {
    /// A header and its content, padded.
    private static func entry(
        _ name: String, _ content: [UInt8], kind: Character = "0", size: String? = nil, prefix: String = ""
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int) {
            header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        }
        func octal(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: width - digits.count) + digits
        }
        put(name, 0)
        put("0000644", 100)
        put(size ?? octal(content.count, 11), 124)
        put(String(kind), 156)
        put("ustar", 257)
        put("00", 263)
        put(prefix, 345)
        put("        ", 148)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6), 148)
        header[154] = 0
        let padding = (512 - content.count % 512) % 512
        return header + content + [UInt8](repeating: 0, count: padding)
    }

    private static let end = [UInt8](repeating: 0, count: 1_024)

    private func read(_ bytes: [UInt8], limit: Int = 10) throws -> [TarArchive.Entry] {
        let file = try TemporaryFile(bytes)
        return try TarArchive(RandomAccessFile(path: file.path), maximumEntries: limit).entries
    }

    @Test("say where their files lie, by long names too")
    func reads() throws {
        let long = String(repeating: "n", count: 150)
        let record = "161 path=" + long
        let bytes =
            Self.entry("a/", [], kind: "5") + Self.entry("model.onnx", [1, 2, 3], prefix: "a")
            + Self.entry("././@PaxHeader", Array((record + "x\n").utf8), kind: "x") + Self.entry("n", [4])
            + Self.entry("././@LongLink", Array((long + "g").utf8) + [0], kind: "L")
            + Self.entry("n", [5, 6])
            + Self.end
        let entries = try read(bytes)
        #expect(entries.map(\.name) == ["a/model.onnx", long + "x", long + "g"])
        #expect(entries.map { Array(bytes[$0.range]) } == [[1, 2, 3], [4], [5, 6]])
    }

    @Test("are refused where they are cut at any byte, or changed in a header")
    func refusesDamage() throws {
        let bytes = Self.entry("a", [1, 2, 3]) + Self.entry("b", [4]) + Self.end
        for count in 0..<(bytes.count - 1_024 + 511) {
            let problem = #expect(throws: Problem.self) { try read(Array(bytes[..<count])) }
            #expect(problem?.category == .malformed, "\(count)")
        }
        for place in 0..<512 {
            var changed = bytes
            changed[place] ^= 4
            #expect(throws: Problem.self, "\(place)") { try read(changed) }
        }
    }

    @Test("are refused with links, devices, sizes beyond the file, one name twice, too many files")
    func refusesHostile() throws {
        for kind in "12346S" {
            #expect(throws: Problem.self, "\(kind)") { try read(Self.entry("a", [], kind: kind) + Self.end) }
        }
        for size in ["77777777777", "00000010000", "0000000000x", "\u{7f}0000000000", "-0000000001"] {
            #expect(throws: Problem.self, "\(size)") {
                try read(Self.entry("a", [1], size: size) + Self.end)
            }
        }
        #expect(throws: Problem.self) { try read(Self.entry("a", [1]) + Self.entry("a", [2]) + Self.end) }
        for record in [
            "5 a\n", "99 path=a\n", "0 path=a\n", "-9 path=a\n", "20 size=-1\n", "24 GNU.sparse.major=1\n",
        ] {
            #expect(throws: Problem.self, "\(record)") {
                try read(Self.entry("x", Array(record.utf8), kind: "x") + Self.entry("a", [1]) + Self.end)
            }
        }
        let many = (0..<11).flatMap { Self.entry("f\($0)", [1]) } + Self.end
        let problem = #expect(throws: Problem.self) { try read(many) }
        #expect(problem?.category == .tooLarge)
    }

    @Test("are refused with numbers in base 256 that are wrong, or too large for their fields")
    func refusesNumbers() throws {
        let good = Self.entry("a", [1, 2, 3]) + Self.end
        for start in [[0x80], [0x80, 0x7F], [0xFF], [0x80, 0, 0, 0, 0, 0, 0, 1]] as [[UInt8]] {
            for (place, width) in [(124, 12), (148, 8)] {
                var changed = good
                changed.replaceSubrange(place..<place + start.count, with: start)
                if place == 124 {
                    for index in place..<place + width where index >= place + start.count {
                        changed[index] = 0xFF
                    }
                }
                #expect(throws: Problem.self, "\(place) \(start)") { try read(changed) }
            }
        }
    }

    @Test("are refused where programs could read them in two ways")
    func refusesAmbiguity() throws {
        func pax(_ text: String, kind: Character = "x") -> [UInt8] {
            let body = " \(text)\n".utf8.count
            let length = body + (body + 1 < 10 ? 1 : 2)
            return Self.entry("x", Array("\(length) \(text)\n".utf8), kind: kind)
        }
        let file = Self.entry("a", [1])
        let cases: [(String, [UInt8])] = [
            ("two extended headers", pax("path=b") + pax("path=c") + file),
            ("pax and GNU", pax("path=b") + Self.entry("L", Array("c\0".utf8), kind: "L") + file),
            ("a name said twice", Self.entry("x", Array("9 path=b\n9 path=c\n".utf8), kind: "x") + file),
            ("a name for all", pax("path=b", kind: "g") + file),
            ("a size for all", pax("size=1", kind: "g") + file),
            ("a folder with content", Self.entry("d/", [1], kind: "5") + file),
            ("an extended header of nothing", file + pax("path=b")),
            ("a size of a folder", pax("size=600") + Self.entry("d/", [], kind: "5") + file),
            ("another character set", pax("hdrcharset=BINARY") + file),
            ("one name in two ways", Self.entry("./a", [1]) + file),
            ("normal forms", Self.entry("\u{E9}", [1]) + Self.entry("e\u{301}", [1])),
            ("a way out", Self.entry("../a", [1])), ("an absolute path", Self.entry("/a", [1])),
            ("an inner part", Self.entry("b/./a", [1])), ("an empty part", Self.entry("b//a", [1])),
            ("a sign", pax("size=+1") + file),
        ]
        for (name, bytes) in cases {
            #expect(throws: Problem.self, "\(name)") { try read(bytes + Self.end) }
        }
        // Behind the end mark, where some programs go on.
        #expect(throws: Problem.self) { try read(file + [UInt8](repeating: 0, count: 512) + file + Self.end) }
        #expect(throws: Problem.self) { try read(file + Self.end + [1]) }
        #expect(try read(file + Self.end + [UInt8](repeating: 0, count: 9_000)).count == 1)
        #expect(try read(pax("comment=x", kind: "g") + pax("mtime=1") + file + Self.end).count == 1)
    }

    @Test("with an ONNX file are models; others are not")
    func recognises() throws {
        let model = try TemporaryFile(Self.entry("m.onnx", [1]) + Self.end)
        #expect(try ModelFormat.recognise(path: model.path) == .onnx)
        let other = try TemporaryFile(Self.entry("cat/1.png", [1]) + Self.end)
        #expect(try ModelFormat.recognise(path: other.path) == .otherArchive)
        let two = try TemporaryFile(Self.entry("m.onnx", [1]) + Self.entry("n.onnx", [1]) + Self.end)
        #expect(throws: Problem.self) { try openModel(at: two.path) }
    }
}
