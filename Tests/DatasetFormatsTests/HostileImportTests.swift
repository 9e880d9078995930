import DatasetFormats
import Findings
import Foundation
import Support
import Testing
import WorkerProtocol
import ZipFixtures

/// Uploads that must be refused: each with its code, and with the entry at fault as the location.
@Suite struct HostileImportTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var code: String
        /// Part of the problem's location.
        var location: String?
        var limits = ImportLimits()
        /// Writes the upload to the path.
        var make: @Sendable (String) throws -> Void

        init(
            _ description: String, _ code: String, at location: String? = nil,
            limits: (inout ImportLimits) -> Void = { _ in }, make: @escaping @Sendable (String) throws -> Void
        ) {
            testDescription = description
            self.code = code
            self.location = location
            limits(&self.limits)
            self.make = make
        }

        /// Two good images, then these entries.
        static func entries(
            _ description: String, _ code: String, at location: String? = nil,
            limits: (inout ImportLimits) -> Void = { _ in }, format: TestArchive.Format = .tar,
            _ entries: [(String, TestArchive.Content)]
        ) -> Case {
            Case(description, code, at: location, limits: limits) { path in
                let good = try ImportTests.pictures(["cat/1.png", "dog/1.png"])
                var archive = TestArchive(entries)
                archive.entries = good.entries + archive.entries
                try archive.write(format, to: path)
            }
        }

        /// These bytes.
        static func bytes(_ description: String, _ code: String, _ bytes: [UInt8]) -> Case {
            Case(description, code) { try Data(bytes).write(to: URL(fileURLWithPath: $0)) }
        }

        /// A good archive, changed.
        static func changed(
            _ description: String, _ code: String, _ format: TestArchive.Format,
            _ change: @escaping @Sendable (inout [UInt8]) -> Void
        ) -> Case {
            Case(description, code) { path in
                try ImportTests.pictures((0..<40).map { "c\($0 % 2)/\($0).png" }).write(format, to: path)
                var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
                change(&bytes)
                try Data(bytes).write(to: URL(fileURLWithPath: path))
            }
        }
    }

    static let png = (try? TestPicture(9).png) ?? []

    static let formats: [Case] = [
        .bytes("empty file", "dataset-format-unsupported", []),
        .bytes("text", "dataset-format-unsupported", Array("class,image\n".utf8)),
        .bytes("7z", "dataset-format-unsupported", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4]),
        .bytes("rar", "dataset-format-unsupported", Array("Rar!\u{1a}\u{7}".utf8)),
        .bytes("parquet", "parquet-damaged", Array("PAR1....PAR1".utf8)),
        .bytes("pickle", "dataset-format-unsupported", [0x80, 4, 0x95]),
        .bytes("zeros", "dataset-format-unsupported", [UInt8](repeating: 0, count: 2_048)),
        .bytes("a single image", "dataset-format-unsupported", png),
        .bytes("zip magic, then nothing", "archive-damaged", [0x50, 0x4b, 3, 4, 0, 0]),
        Case("npz", "array-damaged") { path in
            try TestArchive([("x.npy", .file([1, 2])), ("y.npy", .file([3]))]).write(.zip, to: path)
        },
        Case("gzip in gzip", "dataset-format-unsupported") { path in
            var archive = try ImportTests.pictures(["a/1.png", "b/1.png"])
            archive.extraGzip = true
            try archive.write(.tarGzip, to: path)
        },
        .changed("cut zip", "archive-damaged", .zip) { $0.removeLast($0.count / 2) },
        .changed("cut tar", "archive-damaged", .tar) { $0.removeLast($0.count / 2 + 100) },
        .changed("tar cut between entries", "archive-damaged", .tar) { $0.removeLast($0.count - 10 * 1_024) },
        .changed("cut tar.gz", "archive-damaged", .tarGzip) { $0.removeLast($0.count / 2) },
        .changed("cut tar.xz", "archive-damaged", .tarXZ) { $0.removeLast($0.count / 2) },
        .changed("cut tar.zst", "archive-damaged", .tarZstandard) { $0.removeLast($0.count / 2) },
        .changed("changed tar header", "archive-damaged", .tar) { $0[1_024 + 150] ^= 1 },
        .changed("changed bytes in xz", "archive-damaged", .tarXZ) { $0[$0.count / 2] ^= 0xff },
        .changed("changed bytes in a zip entry", "archive-damaged", .zip) { $0[60] ^= 0xff },
    ]

    static let names: [Case] = [
        .entries("absolute", "entry-name-unsafe", at: "/etc/x.png", [("/etc/x.png", .file(png))]),
        .entries("parent", "entry-name-unsafe", at: "cat/../../x.png", [("cat/../../x.png", .file(png))]),
        .entries("parent in zip", "entry-name-unsafe", at: "..", format: .zip, [("a/../x.png", .file(png))]),
        .entries("backslash", "entry-name-invalid", at: "cat", [("cat\\x.png", .file(png))]),
        .entries(
            "control character", "entry-name-invalid", at: "cat/?[31m", [("cat/\u{1b}[31m", .file(png))]),
        .entries(
            "long name", "entry-name-invalid", [("cat/" + String(repeating: "x", count: 2_000), .file(png))]),
        Case("not UTF-8", "entry-name-invalid", at: "dog/1.png") { path in
            var archive = try ImportTests.pictures(["cat/1.png", "dog/1.png"])
            archive.entries.append((Array("cat/".utf8) + [0xff, 0xfe], .file(png)))
            try archive.write(.tar, to: path)
        },
        .entries("duplicate", "duplicate-entry", at: "cat/1.png", [("cat/1.png", .file(png))]),
        .entries(
            "duplicate, spelt otherwise", "duplicate-entry", at: "cat/1.png", [("./cat//1.png", .file(png))]),
        .entries(
            "symbolic link", "entry-not-a-file", at: "cat/2.png", [("cat/2.png", .symbolicLink(to: "1.png"))]),
        .entries(
            "symbolic link in zip", "entry-not-a-file", at: "cat/2.png", format: .zip,
            [("cat/2.png", .symbolicLink(to: "/etc/passwd"))]),
        .entries(
            "hard link", "entry-not-a-file", at: "cat/2.png", [("cat/2.png", .hardLink(to: "cat/1.png"))]),
        .entries("pipe", "entry-not-a-file", at: "cat/2.png", [("cat/2.png", .pipe)]),
        Case("encrypted", "entry-encrypted", at: "cat/1.png") { path in
            var archive = try ImportTests.pictures(["cat/1.png", "dog/1.png"])
            archive.password = "secret"
            try archive.write(.zip, to: path)
        },
    ]

    static let layouts: [Case] = [
        .entries("image at the top", "image-outside-class", at: "x.png", [("x.png", .file(png))]),
        .entries("two splits", "image-outside-class", at: "test/cat/1.png", [("test/cat/1.png", .file(png))]),
        .entries("empty class", "empty-class", at: "owl", [("owl", .folder)]),
        .entries("class of text", "empty-class", at: "owl", [("owl/a.txt", .file([65]))]),
        Case("one class", "too-few-classes", at: "cat") { path in
            try ImportTests.pictures(["cat/1.png", "cat/2.png"]).write(.tar, to: path)
        },
        Case("no images", "dataset-empty", at: "a/b.txt") { path in
            try TestArchive([("a/b.txt", .file([65]))]).write(.tar, to: path)
        },
        .entries(
            "too many images", "too-many-images", at: "cat/2.png", limits: { $0.maximumImages = 2 },
            [("cat/2.png", .file(png))]),
        .entries(
            "too many classes", "too-many-classes", at: "owl/1.png", limits: { $0.maximumClasses = 2 },
            [("owl/1.png", .file(png))]),
    ]

    static let images: [Case] = [
        .entries(
            "another size", "image-sizes-differ", at: "cat/2.png",
            [("cat/2.png", .file(ImageDecoderTests.rgb.bytes))]),
        .entries(
            "another size, JPEG", "image-sizes-differ", at: "cat/2.jpg",
            [("cat/2.jpg", .file(SampleJPEG.colour))]),
        .entries(
            "text named png", "image-format-unsupported", at: "cat/2.png",
            [("cat/2.png", .file(Array("hello".utf8)))]),
        .entries("empty png", "image-format-unsupported", at: "cat/2.png", [("cat/2.png", .file([]))]),
        .entries(
            "cut GIF", "image-damaged", at: "cat/2.gif",
            [("cat/2.gif", .file(Array("GIF89a".utf8) + [8, 0, 8, 0, 0, 0, 0, 0x2c, 0, 0, 0]))]),
        .entries(
            "HEIC", "image-format-unsupported", at: "cat/2.heic",
            [("cat/2.heic", .file([0, 0, 0, 24] + Array("ftypheic".utf8) + [0, 0, 0, 0]))]),
        .entries(
            "two damaged", "images-damaged", at: "cat/2.png",
            [("cat/2.png", .file(png.dropLast(20))), ("cat/3.png", .file([]))]),
        .entries("cut png", "image-damaged", at: "cat/2.png", [("cat/2.png", .file(png.dropLast(20)))]),
        Case("first image damaged", "image-damaged", at: "a/1.png") { path in
            try TestArchive([("a/1.png", .file(Array(png.prefix(20))))]).write(.tar, to: path)
        },
        Case("first image too large", "image-too-large", at: "cat/1.png", limits: { $0.maximumSide = 3 }) {
            path in
            try ImportTests.pictures(["cat/1.png", "dog/1.png"]).write(.tar, to: path)
        },
        Case("entry too large", "entry-too-large", at: "cat/1.png", limits: { $0.maximumEntryBytes = 64 }) {
            path in
            try ImportTests.pictures(["cat/1.png", "dog/1.png"]).write(.tar, to: path)
        },
        Case(
            "too many pixels, by a zip's directory", "packed-too-large",
            limits: { $0.maximumPackedBytes = 50 }
        ) {
            try ImportTests.pictures(["cat/1.png", "dog/1.png"]).write(.zip, to: $0)
        },
        Case("too many pixels", "packed-too-large", at: "dog/1.png", limits: { $0.maximumPackedBytes = 50 }) {
            path in
            try ImportTests.pictures(["cat/1.png", "dog/1.png"]).write(.tar, to: path)
        },
    ]

    static let bombs: [Case] =
        [TestArchive.Format.tarGzip, .tarXZ, .tarZstandard].map { format in
            .entries(
                "bomb beside the images, \(format.rawValue)", "archive-expands-too-far", at: "zeros.bin",
                format: format, [("zeros.bin", .zeros(80 << 20))])
        } + [
            Case("bomb that calls itself an image", "archive-expands-too-far", at: "cat/") { path in
                let bomb = png + [UInt8](repeating: 0, count: 8 << 20)
                try TestArchive((0..<12).map { ("cat/\($0).png", .file(bomb)) }).write(.zip, to: path)
            }
        ]

    @Test(arguments: formats + names + layouts + images + bombs)
    func isRefused(_ hostile: Case) throws {
        let folder = try TemporaryFolder()
        try hostile.make(folder("upload"))
        let problem = problem {
            try DatasetImporter.importDataset(
                from: folder("upload"), to: folder("packed"), limits: hostile.limits)
        }
        #expect(problem?.code == hostile.code, "\(String(describing: problem))")
        #expect(problem?.fix?.isEmpty == false, "\(String(describing: problem))")
        if let location = hostile.location {
            #expect(problem?.location?.contains(location) == true, "\(String(describing: problem))")
        }
        let left = try? FileManager.default.contentsOfDirectory(atPath: folder("packed"))
        #expect(left?.isEmpty != false)
    }

    @Test func bothSizesAndBothEntriesAreNamed() throws {
        let folder = try TemporaryFolder()
        try TestArchive([
            ("a/1.png", .file(Self.png)), ("b/2.jpg", .file(SampleJPEG.colour)),
        ]).write(.tar, to: folder("upload"))
        let problem = problem {
            try DatasetImporter.importDataset(from: folder("upload"), to: folder("packed"))
        }
        #expect(problem?.location == "b/2.jpg")
        #expect(problem?.detail.contains("8 x 8") == true)
        #expect(problem?.detail.contains("`a/1.png` is 4 x 3") == true)
        #expect(problem?.fix != nil)
    }

    /// Faults far apart, found by different threads: always the first one of the archive is reported.
    @Test func theFirstFaultIsReported() throws {
        let folder = try TemporaryFolder()
        var archive = try ImportTests.pictures((0..<600).map { "c\($0 % 2)/\($0).png" })
        archive.entries[100].content = .file(Array(Self.png.dropLast(20)))
        archive.entries[110].content = .file(SampleJPEG.colour)
        archive.entries[120].content = .symbolicLink(to: "x")
        try archive.write(.tar, to: folder("upload"))
        let problem = problem {
            try DatasetImporter.importDataset(from: folder("upload"), to: folder("packed"))
        }
        #expect(problem?.location == "c0/100.png")
    }

    /// An archive with random bytes changed is imported or refused with a problem; it never crashes.
    @Test(arguments: TestArchive.Format.allCases)
    func mutatedArchivesNeverCrash(format: TestArchive.Format) throws {
        let folder = try TemporaryFolder()
        try ImportTests.pictures((0..<12).map { "c\($0 % 2)/\($0).png" }).write(format, to: folder("good"))
        let good = Array(try Data(contentsOf: URL(fileURLWithPath: folder("good"))))
        var state: UInt64 = 7
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for round in 0..<150 {
            var bytes = good
            for _ in 0...random(4) { bytes[random(bytes.count)] = UInt8(random(256)) }
            let path = try folder.write(bytes, to: "upload")
            do {
                _ = try DatasetImporter.importDataset(from: path, to: folder("packed\(round)"))
            } catch {
                #expect(error is Problem)
            }
        }
    }

    /// Of an image one pixel wide, a few hundred bytes, the other side grows with the first.
    @Test(
        arguments: [
            ImportOptions(resize: .shorterSide(256), crop: .init(height: 224, width: 224)),
            ImportOptions(resize: .shorterSide(2048)),
        ], [true, false])
    func aSliverIsNotScaledToGigabytes(options: ImportOptions, isFirst: Bool) throws {
        let folder = try TemporaryFolder()
        let side = 16_000
        let sliver = RawPNG(
            width: 1, height: side, colourType: 0,
            rows: Array(repeating: [7], count: side)
        ).bytes
        let good = try ImportTests.pictures(["cat/1.png", "dog/1.png"])
        var archive = TestArchive([("bird/1.png", .file(sliver))])
        archive.entries = isFirst ? archive.entries + good.entries : good.entries + archive.entries
        try archive.write(.tar, to: folder("set.tar"))
        let problem = #expect(throws: Problem.self) {
            try DatasetImporter.importDataset(
                from: folder("set.tar"), to: folder("set"), options: options)
        }
        #expect(problem?.code == "image-too-large" && problem?.location?.contains("bird/1.png") == true)
    }
}
