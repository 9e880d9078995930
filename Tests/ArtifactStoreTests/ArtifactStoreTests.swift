import ArtifactStore
import Foundation
import Support
import Testing

@Suite struct ArtifactStoreTests {
    /// A directory of its own for one test.
    final class Scratch {
        let path = NSTemporaryDirectory() + "burn-artifacts-" + UUID().uuidString
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func names(_ folder: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: path + "/" + folder).sorted()
        }
    }

    static func digest(_ data: Data) -> String {
        Digest.sha256(data).map { String(format: "%02x", $0) }.joined()
    }

    static func code(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return (error as? Problem)?.code }
        return nil
    }

    @Test(arguments: [0, 1, 4_095, 1 << 20])
    func anUploadBecomesABlobOfItsContent(size: Int) throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        let data = Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let upload = try store.beginUpload(expectedBytes: size)
        for start in stride(from: 0, to: size, by: 1_000) {
            try upload.write(data[start..<min(start + 1_000, size)])
        }
        let blob = try upload.commit(expectedSHA256: Self.digest(data))
        #expect(blob == Blob(sha256: Self.digest(data), size: size))
        let path = try #require(store.path(of: blob.sha256))
        #expect(try Data(contentsOf: URL(filePath: path)) == data)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(try scratch.names("blobs") == [blob.sha256])
    }

    @Test func theSameContentTwiceIsOneBlob() throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        let blobs = try (0..<2).map { _ in
            let upload = try store.beginUpload(expectedBytes: 3)
            try upload.write(Data("abc".utf8))
            return try upload.commit()
        }
        #expect(blobs[0] == blobs[1])
        #expect(try scratch.names("blobs").count == 1)
        try store.delete(sha256: blobs[0].sha256)
        try store.delete(sha256: blobs[0].sha256)
        #expect(store.path(of: blobs[0].sha256) == nil)
    }

    @Test func wrongLengthsAndDigestsLeaveNothing() throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        let long = try store.beginUpload(expectedBytes: 2)
        #expect(Self.code { try long.write(Data("abc".utf8)) } == "upload-too-long")
        long.abort()
        #expect(Self.code { try long.write(Data("a".utf8)) } == "upload-closed")
        let short = try store.beginUpload(expectedBytes: 4)
        try short.write(Data("abc".utf8))
        #expect(Self.code { _ = try short.commit() } == "upload-truncated")
        let wrong = try store.beginUpload(expectedBytes: 3)
        try wrong.write(Data("abc".utf8))
        let digest = Self.digest(Data("abd".utf8))
        #expect(Self.code { _ = try wrong.commit(expectedSHA256: digest) } == "digest-mismatch")
        do { _ = try store.beginUpload(expectedBytes: 100) }
        #expect(try scratch.names("blobs").isEmpty)
        #expect(Self.code { _ = try store.beginUpload(expectedBytes: -1) } == "invalid-length")
    }

    @Test func whatDoesNotFitIsRefusedBeforeTheFirstByte() throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 1 << 20)
        let free = try store.freeBytes()
        #expect(free > 0)
        #expect(Self.code { _ = try store.beginUpload(expectedBytes: .max) } == "disk-full")
        #expect(try scratch.names("blobs").isEmpty)
    }

    @Test func spaceIsReservedForAllUploadsTogether() throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        let upload = try store.beginUpload(expectedBytes: 8 << 20)
        let part = try #require(try scratch.names("blobs").first)
        let size = try FileManager.default.attributesOfItem(atPath: scratch.path + "/blobs/" + part)[.size]
        #expect((size as? NSNumber)?.intValue == 8 << 20)
        upload.abort()
    }

    @Test func aKilledUploadIsRemovedAtTheNextStart() throws {
        let scratch = Scratch()
        let process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "ScriptedWorker")
        process.arguments = ["upload", scratch.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "ready")
        #expect(Self.code { _ = try ArtifactStore(directory: scratch.path) } == "data-directory-in-use")
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(try scratch.names("blobs").count == 1)
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        #expect(store.repairedUploads == 1)
        #expect(try scratch.names("blobs").isEmpty)
    }

    @Test func aWorkersFileIsTakenOnlyFromItsDirectory() throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        let work = try store.makeWorkDirectory("job_1")
        try Data("model".utf8).write(to: URL(filePath: work + "/out.pt2"))
        #expect(try store.ingest(file: "out.pt2", in: work).sha256 == Self.digest(Data("model".utf8)))
        try FileManager.default.createSymbolicLink(
            atPath: work + "/link", withDestinationPath: "/etc/hostname")
        for name in ["link", "../../../lock", "..", "", "missing", "a/b", "."] {
            #expect(Self.code { _ = try store.ingest(file: name, in: work) } == "artifact-not-readable")
        }
    }

    @Test func idsThatAreNoNamesNeverBecomePaths() throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        for id in ["..", "a/b", "", "A", "a\0", String(repeating: "a", count: 65)] {
            #expect(Self.code { _ = try store.datasetDirectory(id) } == "invalid-id")
            #expect(Self.code { _ = try store.makeImportDirectory(id, attempt: 1) } == "invalid-id")
            #expect(Self.code { try store.deleteWorkDirectory(id) } == "invalid-id")
        }
        #expect(store.path(of: "../lock") == nil)
    }

    @Test func anImportWritesIntoADirectoryOfItsOwnUntilItHasWon() throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        let lost = try store.makeImportDirectory("x", attempt: 1)
        try Data("lost".utf8).write(to: URL(filePath: lost + "/images.u8"))
        // A worker of an attempt that was given up, and goes on.
        let open = try FileHandle(forWritingTo: URL(filePath: lost + "/images.u8"))
        let won = try store.makeImportDirectory("x", attempt: 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: won) == [] && won != lost)
        try open.write(contentsOf: Data("late".utf8))
        #expect(throws: (any Error).self) { try Data().write(to: URL(filePath: lost + "/labels.i32")) }
        try Data("won".utf8).write(to: URL(filePath: won + "/images.u8"))
        #expect(try store.datasetFiles("x") == [] && store.datasetIDs() == ["x"])
        try store.placeDataset("x", attempt: 2)
        try Data("again".utf8).write(
            to: URL(filePath: store.makeImportDirectory("x", attempt: 3) + "/images.u8"))
        let images = URL(filePath: try store.datasetDirectory("x") + "/images.u8")
        #expect(try Data(contentsOf: images) == Data("won".utf8))
        // A second import takes the place of the first.
        try store.placeDataset("x", attempt: 3)
        #expect(try Data(contentsOf: images) == Data("again".utf8))
        #expect(try store.datasetFiles("x") == ["images.u8"] && store.datasetIDs() == ["x"])
        _ = try store.makeImportDirectory("x", attempt: 4)
        try store.deleteDatasetDirectory("x")
        #expect(try store.datasetIDs() == [] && scratch.names("datasets/.importing").isEmpty)
    }

    @Test func aJobKeepsItsDirectory() throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        try Data().write(to: URL(filePath: try store.makeWorkDirectory("x") + "/file"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.makeWorkDirectory("x")) == ["file"])
        // An attempt that has to be told from those before it takes their files over under a name of its own.
        for attempt in [2, 5, 5] {
            let work = try store.makeWorkDirectory("x", attempt: attempt)
            #expect(work.hasSuffix("/work-\(attempt)"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: work) == ["file"])
            #expect(try scratch.names("jobs/x") == ["work-\(attempt)"])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.makeWorkDirectory("x")) == ["file"])
        try store.deleteWorkDirectory("x")
        #expect(try scratch.names("jobs").isEmpty)
    }
}
