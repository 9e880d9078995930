import DatasetFormats
import Findings
import Foundation
import PackedDataset
import Testing
import WorkerProtocol

/// Images of every mode and orientation that Pillow writes.
@Suite("Images are read as Pillow reads them", .enabled(if: PythonSets.python != nil, PythonSets.missing))
struct PillowTests {
    private static let made: Result<URL, any Error> = Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "burn-modes-\(UUID().uuidString)")
        let script = URL(filePath: #filePath).appending(path: "../../Fixtures/image_modes.py").standardized
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [PythonSets.python ?? "python3", script.path, folder.path]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return folder
    }

    /// - Returns: the set, and the largest difference from what Pillow makes of the same files.
    private func compared(_ archive: String, with pixels: String, _ options: ImportOptions) throws -> (
        PackedDataset, Int
    ) {
        let folder = try Self.made.get()
        let packed = try TemporaryFolder()
        _ = try DatasetImporter.importDataset(
            from: folder.appending(path: archive).path, to: packed("set"), options: options)
        let set = try PackedDataset(directory: packed("set"))
        let expected = try Data(contentsOf: folder.appending(path: pixels))
        try #require(set.images.count == expected.count)
        return (set, zip(set.images, expected).map { abs(Int($0) - Int($1)) }.max() ?? 0)
    }

    @Test func cmykAndYCCK() throws {
        let (set, difference) = try compared("cmyk.tar", with: "cmyk.bin", ImportOptions())
        #expect(difference <= 2)
        #expect(set.summary.reading?.converted.map(\.count) == [7])
        #expect(set.summary.reading?.converted.first?.from == "CMYK")
    }

    @Test func modesOfPNG() throws {
        let (set, difference) = try compared("png.tar", with: "png.bin", ImportOptions(alpha: .drop))
        #expect(difference == 0)
        let converted = set.summary.reading?.converted ?? []
        let counts = Dictionary(converted.map { ($0.from, $0.count) }) { first, _ in first }
        #expect(
            counts == [
                "of a palette": 2, "grey of fewer than 8 bits": 1, "transparent": 3,
                "grey among coloured ones": 3,
            ], "\(counts)")
    }

    @Test(arguments: ["webp", "bmp", "tiff", "gif"])
    func formats(name: String) throws {
        let (set, difference) = try compared(name + ".tar", with: name + ".bin", ImportOptions(alpha: .drop))
        #expect(difference == 0)
        let converted = Dictionary(
            uniqueKeysWithValues: (set.summary.reading?.converted ?? []).map { ($0.from, $0.count) })
        #expect(converted["in files of several images"] == (name == "bmp" ? nil : 1), "\(converted)")
        #expect(converted["transparent"] == (name == "bmp" ? nil : 1), "\(converted)")
    }

    /// In strips, tiles, of either byte order and polarity: the nearest 8-bit value.
    @Test func greyOf16Bits() throws {
        let (set, difference) = try compared("wide.tar", with: "wide.bin", ImportOptions())
        #expect(difference == 0)
        let converted = try #require(set.summary.reading?.converted.first)
        #expect(converted.from == "of 16 bits" && converted.count == 5)
        #expect(converted.how.contains("above 255 white"))
    }

    @Test func lossyFormats() throws {
        #expect(try compared("lossy.tar", with: "lossy.bin", ImportOptions()).1 <= 2)
    }

    /// A decoder of JPEG shrinks by itself what is scaled down further, which is hardly to be seen.
    @Test func largePhotos() throws {
        let options = ImportOptions(resize: .exactly(.init(height: 32, width: 32)), orientation: .upright)
        let (set, difference) = try compared("large.tar", with: "large.bin", options)
        #expect(difference <= 3)
        #expect(set.summary.reading?.converted.first { $0.from.contains("many times") }?.count == 4)
        #expect(set.summary.reading?.turned == 1)
    }

    @Test func anImageOfMoreMemoryThanAllowedIsRefused() throws {
        let folder = try Self.made.get()
        let packed = try TemporaryFolder()
        let refused = problem {
            try DatasetImporter.importDataset(
                from: folder.appending(path: "large.tar").path, to: packed("set"),
                limits: ImportLimits(maximumImageMemory: 3_000_000))
        }
        #expect(refused?.code == "image-too-large")
        #expect(refused?.detail.contains("an image may take 3000000") == true)
        #expect(refused?.fix?.contains("limits.image_memory") == true)
    }

    /// Orientations 0 to 9, of which 2 to 8 turn an image; in JPEG and PNG, in both byte orders.
    @Test func orientations() throws {
        for (archive, options, pixels) in [
            ("turned.tar", ImportOptions(), "turned-stored.bin"),
            ("turned.tar", ImportOptions(orientation: .stored), "turned-stored.bin"),
            ("turned.tar", ImportOptions(orientation: .upright), "turned-upright.bin"),
            ("turned-webdataset.tar", ImportOptions(), "turned-stored.bin"),
            ("turned-webdataset.tar", ImportOptions(orientation: .upright), "turned-upright.bin"),
            ("turned.parquet", ImportOptions(), "turned-stored.bin"),
            ("turned.parquet", ImportOptions(orientation: .upright), "turned-upright.bin"),
            ("upright.tar", ImportOptions(), "upright-stored.bin"),
            (
                "upright.tar", ImportOptions(crop: .init(height: 8, width: 8), orientation: .upright),
                "upright-cropped.bin"
            ),
        ] {
            let (set, difference) = try compared(archive, with: pixels, options)
            #expect(difference == 0, "\(pixels)")
            #expect(set.summary.reading?.turned == 14)
            #expect(set.summary.reading?.orientation == options.orientation ?? .stored)
        }
    }
}

/// The inputs that are kept beside the project.
@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: SharedData.folder + "/cases/inputs"),
        "no inputs: BURN_SHARED names no folder with cases/inputs"))
struct SharedInputTests {
    private func read(_ name: String, _ options: ImportOptions = ImportOptions()) throws -> DatasetSummary {
        let packed = try TemporaryFolder()
        return try DatasetImporter.importDataset(
            from: SharedData.folder + "/cases/inputs/" + name, to: packed("set"), options: options)
    }

    @Test func cmyk() throws {
        let summary = try read("cmyk-jpeg/d")
        #expect(summary.channels == 3)
        #expect(summary.reading?.converted.map(\.from) == ["CMYK"])
        #expect(summary.reading?.converted.map(\.count) == [2])
    }

    @Test func orientation() throws {
        #expect(try read("exif-orientation/d").reading?.turned == 2)
        let upright = try? read("exif-orientation/d", ImportOptions(orientation: .upright))
        let cropped = try read(
            "exif-orientation/d", ImportOptions(crop: .init(height: 32, width: 32), orientation: .upright))
        #expect((upright ?? cropped).reading?.turned == 2)
    }

    @Test(arguments: ["labelme", "own-class-field"])
    func sidecars(name: String) throws {
        let summary = try read("json-sidecar-is-webdataset/" + name)
        #expect(summary.classes.map(\.name) == ["bird", "dog", "frog"])
        #expect(summary.classes.map(\.samples) == [3, 3, 3])
        #expect(summary.reading?.layout == .folders)
        #expect(summary.reading?.ignored.map(\.count) == [9])
    }

    @Test func shards() throws {
        for (name, count) in [("s.tar", 20), ("shards", 20), ("txt.tar", 10)] {
            let summary = try read("webdataset-several-shards/" + name)
            #expect(summary.samples == count)
            #expect(summary.classes.map(\.label) == Array(0..<10))
        }
        #expect(problem { try read("webdataset-several-shards/dots.tar") }?.code == "sample-with-many-images")
    }
}
