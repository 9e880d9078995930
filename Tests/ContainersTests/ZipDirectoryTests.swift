import Foundation
import Support
import Testing
import ZipFixtures

@testable import Containers

@Suite("Directories of zip archives")
struct ZipDirectoryTests {
    private func scan(_ bytes: [UInt8], limits: ZipLimits = ZipLimits()) throws -> (
        counted: Int, entries: Int
    ) {
        let url = FileManager.default.temporaryDirectory.appending(path: "burn-\(UUID().uuidString).zip")
        try Data(bytes).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try ZipArchive.scan(RandomAccessFile(path: url.path), limits: limits) { $0.hasSuffix(".png") }
    }

    @Test("are counted without being held")
    func counts() throws {
        let archive = ZipBuilder(
            [.init("a/", "")] + (0..<3_000).map { .init("a/\($0).\($0 % 3 == 0 ? "txt" : "png")", "x") })
        let (counted, entries) = try scan(archive.build())
        #expect(counted == 2_000 && entries == 3_001)
    }

    @Test("are refused where they are cut, over a limit, or have a name that leads elsewhere")
    func refuses() throws {
        let good = ZipBuilder([.init("a/1.png", "x"), .init("a/2.png", "y")]).build()
        for count in 0..<good.count {
            #expect(throws: Problem.self, "\(count)") { try scan(Array(good[..<count])) }
        }
        #expect(throws: Problem.self) { try scan(good, limits: ZipLimits(maximumEntries: 1)) }
        #expect(throws: Problem.self) { try scan(ZipBuilder([.init("../1.png", "x")]).build()) }
        var other = ZipBuilder([.init("a/1.png", "x"), .init("a/2.png", "y")])
        other.entries[1].local.name = Array("b/2.png".utf8)
        #expect(throws: Problem.self) { try scan(other.build()) }
    }
}
