import Foundation
import Support
import Testing
import ZipFixtures

@testable import Containers

/// Writes the bytes to a file, opens it as an archive, and gives the code of the problem, if any.
private func problem(_ file: [UInt8], limits: ZipLimits = ZipLimits()) throws -> Problem? {
    try withFile(file) { path in
        do {
            _ = try ZipArchive(path: path, limits: limits)
            return nil
        } catch let problem as Problem {
            return problem
        }
    }
}

private func withFile<T>(_ bytes: [UInt8], _ body: (String) throws -> T) throws -> T {
    let url = FileManager.default.temporaryDirectory.appending(path: "burn-\(UUID().uuidString).zip")
    try Data(bytes).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url.path)
}

private let sample = ZipBuilder([.init("a/one", "first"), .init("a/two", "second"), .init("a/", "")])

private func changed(_ change: (inout ZipBuilder) -> Void) -> ZipBuilder {
    var builder = sample
    change(&builder)
    return builder
}

@Suite("Zip archives")
struct ZipArchiveTests {
    @Test("are read with every entry's place")
    func reads() throws {
        try withFile(sample.build()) { path in
            let archive = try ZipArchive(path: path)
            #expect(archive.entries.map(\.name) == ["a/one", "a/two", "a/"])
            #expect(archive.entries.map(\.isDirectory) == [false, false, true])
            let two = try #require(archive["a/two"])
            #expect(try archive.contents(of: two, limit: 6) == Array("second".utf8))
            #expect(throws: Problem.self) { try archive.contents(of: two, limit: 5) }
            #expect(archive["a/"] == nil)
            #expect(archive["a"] == nil)
        }
    }

    @Test(
        "may have data descriptors, comments and zip64 records",
        arguments: [(true, false), (true, true), (false, false), (false, true)])
    func readsVariants(_ signature: Bool, _ wide: Bool) throws {
        let builder = changed { $0.entries[0].useDescriptor(signature: signature, wide: wide) }
        let file = builder.build { end in
            end.usesZip64 = true
            end.comment = Array("a comment".utf8)
        }
        try withFile(file) { path in
            let archive = try ZipArchive(path: path)
            let one = try #require(archive["a/one"])
            let offset = try #require(one.descriptorCRCOffset)
            #expect(Array(file[offset..<offset + 4]) == bytes(one.crc32))
            try archive.verifyChecksum(of: one)
        }
    }

    @Test("may be empty")
    func readsEmpty() throws {
        let entries = try withFile(ZipBuilder().build()) { try ZipArchive(path: $0).entries }
        #expect(entries.isEmpty)
    }

    @Test("may have sizes in a zip64 field")
    func readsZip64Field() throws {
        let builder = changed { builder in
            builder.entries[1].both { header in
                header.extra = bytes(UInt16(1)) + bytes(UInt16(16)) + bytes(UInt64(6)) + bytes(UInt64(6))
                header.size = .max
                header.compressedSize = .max
            }
        }
        let entry = try withFile(builder.build()) { try ZipArchive(path: $0)["a/two"] }
        #expect(entry?.size == 6)
    }

    @Test("with a changed byte of data fail the checksum")
    func checksum() throws {
        var file = sample.build()
        file[35] ^= 1
        try withFile(file) { path in
            let archive = try ZipArchive(path: path)
            let one = try #require(archive["a/one"])
            let problem = try #require(throws: Problem.self) { try archive.verifyChecksum(of: one) }
            #expect(problem.code == "zip-checksum")
            #expect(problem.location == "a/one")
        }
    }

    @Test("cut short anywhere are refused")
    func truncated() throws {
        let file = sample.build()
        for length in 0..<file.count {
            #expect(try problem(Array(file[..<length])) != nil, "\(length) bytes")
        }
    }

    @Test("with one byte of a header changed never crash the reader, and read the same or are refused")
    func flipped() throws {
        let file = changed { $0.entries[0].useDescriptor() }.build { $0.usesZip64 = true }
        var generator = SeededGenerator(seed: 1)
        for position in file.indices {
            var damaged = file
            damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            guard try problem(damaged) == nil else { continue }
            let names = try withFile(damaged) { try ZipArchive(path: $0).entries.map(\.name) }
            #expect(names == ["a/one", "a/two", "a/"], "byte \(position)")
        }
    }
}

/// Info-ZIP's extra field with a name in UTF-8.
private func secondName(_ name: String, of first: String) -> [UInt8] {
    var checksum = Checksum()
    Array(first.utf8).withUnsafeBytes { checksum.update($0) }
    return bytes(UInt16(0x7075)) + bytes(UInt16(5 + name.utf8.count)) + [1] + bytes(checksum.value)
        + Array(name.utf8)
}

private func zip64(_ numbers: UInt64...) -> [UInt8] {
    bytes(UInt16(1)) + bytes(UInt16(8 * numbers.count)) + numbers.flatMap { bytes($0) }
}

@Suite("Zip archives that programs could read in two ways")
struct AmbiguousZipTests {
    @Test("are refused with bytes in front of the first entry, or the mark of an end record in the comment")
    func outside() throws {
        // Offsets that count from the front, as of an archive that was appended to a program.
        let prefix = [UInt8](repeating: 0x23, count: 10)
        var shifted = sample
        var start: UInt32 = 0
        for index in shifted.entries.indices {
            let header = shifted.entries[index].central
            shifted.entries[index].central.offset = start + 10
            start += UInt32(30 + header.name.count) + header.size
        }
        #expect(try problem(prefix + shifted.build { $0.offset += 10 })?.code == "zip-ambiguous")
        let comment = sample.build { $0.comment = Array("PK\u{5}\u{6} and more".utf8) }
        #expect(try problem(comment)?.code == "zip-ambiguous")
        #expect(try problem(ZipBuilder().build { $0.comment = Array("nothing".utf8) }) == nil)
    }

    @Test("are none where both say the same")
    func agreeing() throws {
        let builder = changed { builder in
            builder.entries[0].both { $0.extra = secondName("a/one", of: "a/one") }
            builder.entries[1].both { $0.extra = zip64(6, 6) }
            builder.entries[2].central.extra = zip64(0, 0)
        }
        #expect(try problem(builder.build()) == nil)
    }
}

@Suite("Damaged zip archives are refused")
struct DamagedZipTests {
    @Test(
        "for their names",
        arguments: [
            "/etc/passwd", "../up", "a/../../up", "a\\b", "a\u{0}b", "a//b", "./a", "C:/a", "a/..", "..",
            "a\nb",
        ])
    func names(_ name: String) throws {
        let builder = changed { $0.entries[0].both { $0.name = Array(name.utf8) } }
        #expect(try problem(builder.build())?.code == "zip-entry-name")
    }

    @Test("for names that are empty, too long or not in UTF-8")
    func otherNames() throws {
        for name in [[], Array(repeating: 0x61, count: 2_000), [0xFF, 0xFE]] as [[UInt8]] {
            let builder = changed { $0.entries[0].both { $0.name = name } }
            #expect(try problem(builder.build())?.code == "zip-entry-name")
        }
    }

    struct Damage: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var code: String
        var change: @Sendable (inout ZipBuilder) -> Void

        init(_ name: String, _ code: String, _ change: @escaping @Sendable (inout ZipBuilder) -> Void) {
            testDescription = name
            self.code = code
            self.change = change
        }
    }

    static let damages: [Damage] = [
        Damage("second name", "zip-ambiguous") {
            $0.entries[0].both { $0.extra = secondName("b/one", of: "a/one") }
        },
        Damage("second name in the local header", "zip-ambiguous") {
            $0.entries[0].local.extra = secondName("b/one", of: "a/one")
        },
        Damage("second name in the directory", "zip-ambiguous") {
            $0.entries[0].central.extra = secondName("b/one", of: "a/one")
        },
        Damage("second name, cut short", "zip-ambiguous") {
            $0.entries[0].both { $0.extra = bytes(UInt16(0x7075)) + bytes(UInt16(2)) + [1, 0] }
        },
        Damage("two second names", "zip-ambiguous") { builder in
            builder.entries[0].both {
                $0.extra = secondName("a/one", of: "a/one") + secondName("a/one", of: "a/one")
            }
        },
        Damage("second comment", "zip-ambiguous") {
            $0.entries[0].both {
                $0.extra = bytes(UInt16(0x6375)) + bytes(UInt16(6)) + [1, 0, 0, 0, 0, 0x61]
            }
        },
        Damage("sizes in a zip64 field that contradict those beside it", "zip-ambiguous") {
            $0.entries[0].both { $0.extra = zip64(99, 99) }
        },
        Damage("the same in the local header", "zip-ambiguous") { $0.entries[0].local.extra = zip64(5, 4) },
        Damage("a place in a zip64 field that contradicts the one beside it", "zip-ambiguous") {
            $0.entries[0].central.extra = zip64(5, 5, 1)
        },
        Damage("more in a zip64 field than is asked for", "zip-ambiguous") {
            $0.entries[0].central.extra = zip64(5, 5, 0, 0, 0)
        },
        Damage("name marked as UTF-8 in one header", "zip-entry") { $0.entries[0].central.flags = 0x800 },
        Damage("bytes behind an entry", "zip-ambiguous") { $0.entries[0].trailer = [1, 2, 3] },
        Damage("bytes behind the last entry", "zip-ambiguous") { $0.entries[2].trailer = [1] },
        Damage("an entry that the directory lacks", "zip-ambiguous") { builder in
            let hidden = ZipBuilder([.init("a/hidden", "payload")]).build()
            builder.entries[0].trailer = Array(hidden.prefix(30 + 8 + 7))
        },
        Damage("duplicate", "zip-duplicate-entry") { $0.entries[1].both { $0.name = Array("a/one".utf8) } },
        Damage("names that differ by their normal forms", "zip-duplicate-entry") {
            $0.entries[0].both { $0.name = Array("a/\u{E9}".utf8) }
            $0.entries[1].both { $0.name = Array("a/e\u{301}".utf8) }
        },
        Damage("file and folder of one name", "zip-duplicate-entry") {
            $0.entries[0].both { $0.name = [0x61] }
        },
        Damage("overlap", "zip-entry") { $0.entries[1].central.offset = 0 },
        Damage("same bytes twice", "zip-overlapping-entries") { builder in
            builder.entries[1] = builder.entries[0]
            builder.entries[1].both { $0.name = Array("a/two".utf8) }
            // The second local header stands inside the first one's data.
            let inner = ZipBuilder([builder.entries[1]]).build()
            builder.entries[0] = ZipBuilder.Entry("a/one", inner)
            builder.entries[1].central.offset = 35
        },
        Damage("encrypted", "zip-encrypted") { $0.entries[0].both { $0.flags |= 1 } },
        Damage("strongly encrypted", "zip-encrypted") { $0.entries[0].both { $0.flags |= 0x41 } },
        Damage("symbolic link", "zip-link") { $0.entries[0].central.attributes = 0xA1FF_0000 },
        Damage("device", "zip-link") { $0.entries[0].central.attributes = 0x61B6_0000 },
        Damage("unknown method", "zip-compression-method") { $0.entries[0].both { $0.method = 99 } },
        Damage("stored with two sizes", "zip-entry") { $0.entries[0].both { $0.size = 9 } },
        Damage("impossible ratio", "zip-entry") { builder in
            builder.entries[0].both {
                $0.method = 8
                $0.size = 1 << 30
            }
        },
        Damage("other size in the local header", "zip-entry") { $0.entries[0].local.size = 4 },
        Damage("other checksum in the local header", "zip-entry") { $0.entries[0].local.crc32 ^= 1 },
        Damage("other name in the local header", "zip-entry") {
            $0.entries[0].local.name = Array("a/onf".utf8)
        },
        Damage("longer name in the local header", "zip-entry") { $0.entries[0].local.name += [0x61] },
        Damage("other method in the local header", "zip-entry") { $0.entries[0].local.method = 8 },
        Damage("encrypted in the local header", "zip-entry") { $0.entries[0].local.flags = 1 },
        Damage("data beyond the directory", "zip-entry") { builder in
            builder.entries[2].both {
                $0.name = Array("a/three".utf8)
                $0.size = 1_000
                $0.compressedSize = 1_000
            }
        },
        Damage("offset beyond the file", "zip-entry") { $0.entries[0].central.offset = 0x7FFF_FFFF },
        Damage("offset into the data", "zip-entry") { $0.entries[0].central.offset = 3 },
        Damage("another disk", "zip-entry") { $0.entries[0].central.disk = 1 },
        Damage("folder with data", "zip-entry") { $0.entries[0].both { $0.name = Array("a/b/".utf8) } },
        Damage("descriptor missing", "zip-entry") { $0.entries[0].both { $0.flags |= 8 } },
        Damage("descriptor with another size", "zip-entry") { builder in
            builder.entries[0].useDescriptor()
            builder.entries[0].trailer[8] ^= 1
        },
        Damage("extra field past its header", "zip-entry") { $0.entries[0].central.extra = [7, 0, 50, 0] },
        Damage("zip64 field too short", "zip-entry") { builder in
            builder.entries[0].central.size = .max
            builder.entries[0].central.extra = [1, 0, 2, 0, 9, 9]
        },
        Damage("zip64 size beyond all bounds", "zip-entry") { builder in
            builder.entries[0].both {
                $0.size = .max
                $0.compressedSize = .max
                $0.extra = bytes(UInt16(1)) + bytes(UInt16(16)) + bytes(UInt64.max) + bytes(UInt64.max)
            }
        },
        Damage("zip64 size that overflows the offset", "zip-limit") { builder in
            builder.entries[0].both {
                $0.size = .max
                $0.compressedSize = .max
                $0.extra = bytes(UInt16(1)) + bytes(UInt16(16)) + bytes(Int64.max) + bytes(Int64.max)
            }
        },
        Damage("two zip64 fields", "zip-entry") { $0.entries[0].central.extra = [1, 0, 0, 0, 1, 0, 0, 0] },
    ]

    @Test("with a clear problem", arguments: damages)
    func damaged(_ damage: Damage) throws {
        var builder = sample
        damage.change(&builder)
        let found = try #require(try problem(builder.build()))
        #expect(found.code == damage.code)
        #expect(found.location != nil)
        #expect(!found.detail.isEmpty)
    }

    @Test("for end records that lie")
    func endRecords() throws {
        let changes: [(inout ZipBuilder.End) -> Void] = [
            { $0.entries += 1 }, { $0.entries -= 1 }, { $0.entriesHere -= 1 }, { $0.size += 1 },
            { $0.size -= 1 },
            { $0.offset += 1 }, { $0.offset = 0xFFFF_FFF0 }, { $0.disk = 1 },
            {
                $0.usesZip64 = true
                $0.zip64Offset += 1
            },
            {
                $0.usesZip64 = true
                $0.zip64Offset = .max
            },
            {
                $0.usesZip64 = true
                $0.zip64Length = 43
            },
            {
                $0.usesZip64 = true
                $0.entries = .max
                $0.entriesHere = .max
            },
            {
                $0.usesZip64 = true
                $0.size = .max
            },
            {
                $0.usesZip64 = true
                $0.offset = UInt64(Int64.max)
            },
            // A second end record in the comment.
            { $0.comment = [0x50, 0x4B, 5, 6] + Array(repeating: 0, count: 18) },
        ]
        for (index, change) in changes.enumerated() {
            #expect(try problem(sample.build(change)) != nil, "change \(index)")
        }
    }

    @Test("over their limits")
    func limits() throws {
        let file = sample.build()
        #expect(try problem(file, limits: ZipLimits(maximumEntries: 2))?.code == "zip-limit")
        #expect(try problem(file, limits: ZipLimits(maximumNameLength: 4))?.code == "zip-entry-name")
        #expect(try problem(file, limits: ZipLimits(maximumDirectoryBytes: 100))?.code == "zip-limit")
        #expect(try problem(file, limits: ZipLimits(maximumTotalSize: 10))?.code == "zip-limit")
        #expect(try problem(file, limits: ZipLimits(methods: [.deflated]))?.code == "zip-compression-method")
        #expect(try problem(file, limits: ZipLimits(maximumEntries: 2))?.category == .tooLarge)
    }
}
