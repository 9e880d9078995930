import Foundation
import Support
import Testing

@testable import ArtifactStore

/// Files of resumable uploads.
@Suite struct PartFileTests {
    private typealias Scratch = ArtifactStoreTests.Scratch

    private func append(_ text: String, to part: PartFile) throws {
        try Array(text.utf8).withUnsafeBytes { try part.append($0) }
    }

    @Test func oneRequestAtATimeHasAnUpload() throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        try store.createPart("upl_1", length: 6)
        let part = try #require(try store.takePart("upl_1", length: 6))
        #expect(try store.takePart("upl_1", length: 6) == nil)
        try append("abc", to: part)
        store.giveBack(part)
        let again = try #require(try store.takePart("upl_1", length: 6))
        #expect(again === part && again.offset == 3, "its hash is kept")
        store.giveBack(again)
        #expect(ArtifactStoreTests.code { _ = try store.takePart("upl_2", length: 6) } == "file-system")
        // What was not there is free again.
        try store.createPart("upl_2", length: 6)
        #expect(try store.takePart("upl_2", length: 6) != nil)
        #expect(
            ArtifactStoreTests.code { try store.createPart("upl_1", length: 6) } == "file-system", "no second"
        )
        #expect(try store.partOffset("upl_1") == 3)
        for id in ["../upl_1", "a/b", "", "."] {
            #expect(ArtifactStoreTests.code { _ = try store.partOffset(id) } == "invalid-id")
        }
    }

    /// The hash goes with the bytes: over a rewind, and over a start of the service that has to read them again.
    @Test func theDigestIsThatOfTheBytesHoweverTheyCame() throws {
        let scratch = Scratch()
        let expected = ArtifactStoreTests.digest(Data("abcdef".utf8))
        do {
            let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
            try store.createPart("upl_1", length: 6)
            let part = try #require(try store.takePart("upl_1", length: 6))
            try append("ab", to: part)
            let mark = part.mark
            try append("xyz", to: part)
            try part.rewind(to: mark)
            #expect(part.offset == 2)
            try append("cd", to: part)
            try part.sync()
        }
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        #expect(try store.partIDs() == ["upl_1"], "a start keeps them")
        let part = try #require(try store.takePart("upl_1", length: 6))
        #expect(part.offset == 4 && !part.isComplete)
        try append("ef", to: part)
        #expect(ArtifactStoreTests.code { try append("g", to: part) } == "upload-too-long")
        #expect(try part.isComplete && part.sha256() == expected)
        #expect(try part.head(3) == Array("abc".utf8) && part.head(99).count == 6)
        store.giveBack(part)
        #expect(ArtifactStoreTests.code { try store.commitPart("upl_1", sha256: "../lock") } == "file-system")
        for _ in 0..<2 { try store.commitPart("upl_1", sha256: expected) }
        #expect(try scratch.names("uploads").isEmpty)
        #expect(try store.isIntact(sha256: expected))
        #expect(
            ArtifactStoreTests.code {
                try store.commitPart("upl_none", sha256: String(repeating: "0", count: 64))
            } == "file-system")
    }

    @Test func aFileThatIsNoneOrTooLongIsNotTaken() throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        try Data("longer".utf8).write(to: URL(filePath: scratch.path + "/uploads/upl_1.part"))
        #expect(ArtifactStoreTests.code { _ = try store.takePart("upl_1", length: 5) } == "file-system")
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/uploads/upl_2.part", withDestinationPath: "/etc/hostname")
        #expect(ArtifactStoreTests.code { _ = try store.takePart("upl_2", length: 1 << 20) } == "file-system")
        #expect(try store.partOffset("upl_2") == nil)
        try store.deletePart("upl_2")
        try store.deletePart("upl_2")
        #expect(FileManager.default.fileExists(atPath: "/etc/hostname"), "the link alone is gone")
    }

    @Test func aDamagedBlobIsFoundAndSetAside() throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        let upload = try store.beginUpload(expectedBytes: 3)
        try upload.write(Data("abc".utf8))
        let blob = try upload.commit()
        let path = try #require(store.path(of: blob.sha256))
        try Data("note".utf8).write(to: URL(filePath: scratch.path + "/blobs/README"))
        #expect(try store.storedBlobs().map(\.sha256) == [blob.sha256], "what is no blob is left out")
        #expect(try store.isIntact(sha256: blob.sha256))
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.write(contentsOf: Data("x".utf8))
        try file.close()
        #expect(try !store.isIntact(sha256: blob.sha256))
        try store.setAside(sha256: blob.sha256)
        #expect(store.path(of: blob.sha256) == nil)
        #expect(try scratch.names("damaged") == [blob.sha256])
        #expect(try !store.isIntact(sha256: blob.sha256))
        try store.setAside(sha256: blob.sha256)
    }

    @Test func theCacheLosesWhatWasLookedAtLongestAgo() throws {
        let scratch = Scratch()
        let store = try ArtifactStore(directory: scratch.path, freeSpaceFloor: 0)
        #expect(try store.cacheBytes() == 0)
        // At once: a request may come before anything else has begun.
        let work = try store.makeScratchDirectory()
        let folder = try store.pictureDirectory("job_1")
        for (name, age) in [("old", 3_600.0), ("older", 7_200), ("new", 0)] {
            try Data(count: 1_000).write(to: URL(filePath: work + "/out"))
            try store.move("out", from: work, to: folder, as: name)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: folder + "/" + name)
        }
        #expect(try store.pruneCache(to: 3_000) == 3_000)
        #expect(try store.pruneCache(to: 2_999) == 2_000)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["new", "old"])
        #expect(try store.pruneCache(to: 0) == 1_000, "somebody may be about to read the newest")
        #expect(
            ArtifactStoreTests.code { try store.move("../x", from: work, to: folder, as: "y") }
                == "artifact-not-readable")
        // Nothing outside its folder goes by way of the scratch.
        try store.deleteScratchDirectory(folder)
        #expect(try store.cacheBytes() == 1_000)
        // As the next opening does it.
        try store.prepareCache()
        #expect(!FileManager.default.fileExists(atPath: work), "a start removes what was half-finished")
        try store.deletePictures("job_1")
        #expect(try store.cacheBytes() == 0)
    }
}
