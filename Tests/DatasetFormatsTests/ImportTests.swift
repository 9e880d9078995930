import DatasetFormats
import Findings
import Foundation
import ImageArchives
import PackedDataset
import Support
import Testing
import WorkerProtocol

@Suite struct ImportTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @discardableResult
    func importArchive(
        _ archive: TestArchive, _ format: TestArchive.Format = .tar, limits: ImportLimits = ImportLimits()
    ) throws -> PackedDataset {
        let path = folder("upload")
        try archive.write(format, to: path)
        let summary = try DatasetImporter.importDataset(from: path, to: folder("packed"), limits: limits)
        let set = try PackedDataset(directory: folder("packed"))
        #expect(set.summary == summary)
        return set
    }

    static func pictures(_ names: [String]) throws -> TestArchive {
        TestArchive(try names.enumerated().map { ($1, .file(try TestPicture($0).png)) })
    }

    @Test(arguments: TestArchive.Format.allCases)
    func everyFormatGivesTheSameSet(format: TestArchive.Format) throws {
        let names = ["zebra/1.png", "ant/b.png", "zebra/0.png", "ant/a.png", "newt/ä.png"]
        let set = try importArchive(Self.pictures(names), format)
        #expect(set.summary.format == "image-folder/\(format.rawValue)")
        #expect(set.classes == ["ant", "newt", "zebra"])
        #expect(set.summary.classes.map(\.samples) == [2, 1, 2])
        #expect((0..<set.count).map(set.name(of:)) == names)
        #expect(set.labels == [2, 0, 2, 0, 1])
        #expect((set.height, set.width, set.channels) == (TestPicture.height, TestPicture.width, 3))
        for index in 0..<set.count {
            #expect(set.withImage(at: index) { Array($0) } == TestPicture(index).pixels)
        }
    }

    /// More images than several batches hold, decoded by several workers: the order stays.
    @Test func orderIsTheArchives() throws {
        let names = (0..<1_700).map { "\($0 % 3 == 0 ? "b" : "a")/\($0).png" }
        let set = try importArchive(Self.pictures(names))
        #expect(set.count == names.count)
        for index in 0..<set.count {
            #expect(set.name(of: index) == names[index])
            #expect(set.withImage(at: index) { Array($0) } == TestPicture(index).pixels)
        }
    }

    @Test(arguments: ["", "./", "train/", "./cifar/train/", "a//b/"])
    func commonFoldersAboveTheClassesAreStripped(prefix: String) throws {
        let set = try importArchive(Self.pictures(["\(prefix)cat/1.png", "\(prefix)dog/1.png"]))
        #expect(set.classes == ["cat", "dog"])
    }

    @Test func folderOnDiskIsReadInOrderOfNames() throws {
        for (index, name) in ["dog/2.png", "cat/1.png", "dog/10.png"].enumerated() {
            _ = try folder.write(TestPicture(index).png, to: "tree/\(name)")
        }
        let summary = try DatasetImporter.importDataset(from: folder("tree"), to: folder("packed"))
        let set = try PackedDataset(directory: folder("packed"))
        #expect(summary.format == "image-folder/directory")
        #expect((0..<3).map(set.name(of:)) == ["cat/1.png", "dog/10.png", "dog/2.png"])
        #expect(set.withImage(at: 1) { Array($0) } == TestPicture(2).pixels)
    }

    @Test func otherFilesAreSkippedWithAReason() throws {
        var archive = try Self.pictures(["cat/1.png", "dog/1.png"])
        let others = ["README.md", "cat/notes.txt", ".DS_Store", "__MACOSX/cat/._1.png", "dog/Thumbs.db"]
        archive.entries += others.map { (Array($0.utf8), .file(Array("text".utf8))) }
        let set = try importArchive(archive, .zip)
        #expect(set.count == 2)
        #expect(set.summary.skipped.map(\.name) == others)
        #expect(set.summary.skippedTotal == others.count)
        #expect(set.summary.skipped[1].reason == "not an image")
    }

    @Test func onlyTheFirstHundredSkipsAreNamed() throws {
        var archive = try Self.pictures(["cat/1.png", "dog/1.png"])
        archive.entries += (0..<150).map { (Array("cat/\($0).txt".utf8), .file([1])) }
        let summary = try importArchive(archive).summary
        #expect((summary.skipped.count, summary.skippedTotal) == (100, 150))
    }

    @Test func imagesAreKnownByContentNotByName() throws {
        let set = try importArchive(
            TestArchive([
                ("cat/1.jpg", .file(try TestPicture(1).png)),
                ("dog/noextension", .file(try TestPicture(2).png)),
            ]))
        #expect(set.count == 2)
    }

    @Test func greySetsHaveOneChannel() throws {
        let set = try importArchive(
            TestArchive([("a/1.jpg", .file(SampleJPEG.grey)), ("b/1.jpg", .file(SampleJPEG.grey))]))
        #expect(set.channels == 1)
        #expect(set.withImage(at: 1) { Array($0) } == SampleJPEG.greyPixels)
    }

    /// In whichever order they come.
    @Test(arguments: [true, false])
    func greyAmongColouredIsWidened(greyFirst: Bool) throws {
        let grey: (String, TestArchive.Content) = ("a/grey.jpg", .file(SampleJPEG.grey))
        let colour: (String, TestArchive.Content) = ("b/colour.jpg", .file(SampleJPEG.colour))
        let set = try importArchive(TestArchive(greyFirst ? [grey, colour] : [colour, grey]))
        #expect(set.channels == 3)
        let wide = SampleJPEG.greyPixels.flatMap { [$0, $0, $0] }
        #expect(set.withImage(at: greyFirst ? 0 : 1) { Array($0) } == wide)
        #expect(set.withImage(at: greyFirst ? 1 : 0) { Array($0) } == SampleJPEG.colourPixels)
    }

    @Test func progressRunsToTheEnd() throws {
        let path = folder("upload")
        try Self.pictures((0..<1_200).map { "c\($0 % 2)/\($0).png" }).write(.tarGzip, to: path)
        var reports: [ImportProgress] = []
        _ = try DatasetImporter.importDataset(
            from: path, to: folder("packed"), progress: { reports.append($0) })
        #expect(reports.count >= 3)
        #expect(reports.map(\.images) == reports.map(\.images).sorted())
        #expect(reports.last?.images == 1_200)
        #expect(reports.allSatisfy { (0...1).contains($0.fraction ?? -1) })
    }

    @Test func cancellationLeavesNothingBehind() throws {
        let path = folder("upload")
        try Self.pictures((0..<1_200).map { "c\($0 % 2)/\($0).png" }).write(.tar, to: path)
        var asked = 0
        let problem = problem {
            try DatasetImporter.importDataset(
                from: path, to: folder("packed"),
                isCancelled: {
                    asked += 1
                    // The names are read first.
                    return asked > 1_900
                })
        }
        #expect(problem?.category == .cancelled)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder("packed")).isEmpty)
    }

    @Test func writtenArchivesAreTheSameBytesAndComeBack() throws {
        for name in ["one", "two"] {
            let writer = try ArchiveWriter(path: folder(name))
            for index in 0..<4 {
                try writer.addImage(
                    name: "train/c\(index % 2)/\(index).png", pixels: TestPicture(index).pixels,
                    height: TestPicture.height, width: TestPicture.width, channels: 3)
            }
            try writer.add(name: "readme.txt", content: Data("text".utf8))
            try writer.finish()
        }
        #expect(
            FileManager.default.contents(atPath: folder("one"))
                == FileManager.default.contents(atPath: folder("two")))
        let summary = try DatasetImporter.importDataset(from: folder("one"), to: folder("packed"))
        #expect((summary.samples, summary.skippedTotal) == (4, 1))
        let set = try PackedDataset(directory: folder("packed"))
        #expect(set.withImage(at: 3) { Array($0) } == TestPicture(3).pixels)
    }
}
