import Foundation
import Support
import Testing

@testable import PackedDataset

@Suite struct SliceFileTests {
    let directory: String
    let layout = SliceFile(data: "pieces", table: "places", mostBytes: 100)

    init() throws {
        directory = NSTemporaryDirectory() + "burn-slices-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    private func write(_ pieces: [Data]) throws {
        let writer = try SliceWriter(layout, in: directory)
        for piece in pieces { try writer.append(piece) }
        try writer.finish()
    }

    @Test func piecesComeBack() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        #expect(try layout.read(0, of: 3, in: directory) == nil && !layout.exists(in: directory))
        let pieces = [Data("one".utf8), Data(), Data(repeating: 7, count: 100)]
        try write(pieces)
        #expect(layout.exists(in: directory))
        #expect(try (0..<3).map { try layout.read($0, of: 3, in: directory) } == pieces)
        #expect(throws: Problem.self) { try layout.read(0, of: 2, in: directory) }
    }

    @Test func aWriterThatIsDroppedLeavesNothing() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        do {
            let writer = try SliceWriter(layout, in: directory)
            try writer.append(Data("one".utf8))
            #expect(throws: Problem.self) { try writer.append(Data(count: 101)) }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
    }

    /// Whatever the table says, nothing outside the file is read, and nothing large.
    @Test(arguments: [
        [5, 3, 6], [0, 7, 6], [0, UInt64.max, 6], [UInt64(1) << 63, 3, 6], [0, 3],
    ])
    func damagedTablesAreRefused(places: [UInt64]) throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try write([Data("one".utf8), Data("two".utf8)])
        let bytes = places.map(\.littleEndian).withUnsafeBytes { Data($0) }
        try bytes.write(to: URL(filePath: directory + "/places"))
        let error = #expect(throws: Problem.self) { try layout.read(0, of: 2, in: directory) }
        #expect(error?.code == "slices-damaged")
    }

    @Test func linksAndMissingFilesAreRefused() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try write([Data("one".utf8)])
        try FileManager.default.moveItem(atPath: directory + "/pieces", toPath: directory + "/elsewhere")
        #expect(throws: Problem.self) { try layout.read(0, of: 1, in: directory) }
        try FileManager.default.createSymbolicLink(
            atPath: directory + "/pieces", withDestinationPath: directory + "/elsewhere")
        #expect(throws: Problem.self) { try layout.read(0, of: 1, in: directory) }
    }
}
