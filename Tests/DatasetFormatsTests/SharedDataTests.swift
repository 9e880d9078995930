import DatasetFormats
import Foundation
import PackedDataset
import Testing

/// The real images that lie beside the project, where they do.
enum SharedData {
    static let folder =
        ProcessInfo.processInfo.environment["BURN_SHARED"]
        ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../shared").standardized.path
    static let testImages = folder + "/data/cifar10-test.tar.xz"
    static let isThere = FileManager.default.fileExists(atPath: testImages)
    /// A Python with Pillow.
    static let python = ProcessInfo.processInfo.environment["BURN_PYTHON"]
}

@Suite(.enabled(if: SharedData.isThere, "no real images: BURN_SHARED names no folder with data/"))
struct SharedDataTests {
    @Test func cifarTestImagesAreImportedWhole() throws {
        let folder = try TemporaryFolder()
        let summary = try DatasetImporter.importDataset(from: SharedData.testImages, to: folder("packed"))
        #expect(summary.samples == 10_000)
        #expect(summary.classes.map(\.samples) == Array(repeating: 1_000, count: 10))
        #expect(summary.classes.first?.name == "airplane")
        #expect((summary.height, summary.width, summary.channels) == (32, 32, 3))
        let set = try PackedDataset(directory: folder("packed"))
        #expect(set.name(of: 0) == "airplane/0000.jpg")
        // Natural images: neither black nor white on average.
        let mean = Double(set.images.reduce(0) { $0 + Int($1) }) / Double(set.images.count)
        #expect((100...140).contains(mean))
    }

    @Test(.enabled(if: SharedData.python != nil, "no Pillow: BURN_PYTHON is not set"))
    func jpegPixelsArePillows() throws {
        let folder = try TemporaryFolder()
        let summary = try DatasetImporter.importDataset(from: SharedData.testImages, to: folder("packed"))
        let script = """
            import io, sys, tarfile
            from PIL import Image
            with tarfile.open(sys.argv[1]) as tar:
                images = (m for m in tar if m.name.endswith(".jpg"))
                for index, member in enumerate(images):
                    if index % 20 == 0:
                        image = Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB")
                        sys.stdout.buffer.write(image.tobytes())
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [try #require(SharedData.python), "-c", script, SharedData.testImages]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let expected = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let set = try PackedDataset(directory: folder("packed"))
        let found = stride(from: 0, to: summary.samples, by: 20).reduce(into: Data()) { data, index in
            set.withImage(at: index) { data.append(contentsOf: $0) }
        }
        #expect(expected.count == 500 * 32 * 32 * 3)
        #expect(found == expected)
    }
}
