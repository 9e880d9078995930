import Findings
import Foundation
import PackedDataset
import Problems
import Testing
import WorkerProtocol

@testable import DatasetFormats

/// Files that a Python with numpy and Pillow wrote.
enum PythonSets {
    static let python = ProcessInfo.processInfo.environment["BURN_PYTHON"]
    static let missing: Comment = "no Python: set BURN_PYTHON to one that imports numpy and PIL"

    /// Made once for all tests. `BURN_DATASETS` names a folder that is kept.
    static let folder: Result<URL, any Error> = Result {
        if let kept = ProcessInfo.processInfo.environment["BURN_DATASETS"] { return URL(filePath: kept) }
        let folder = FileManager.default.temporaryDirectory.appending(path: "burn-sets-\(UUID().uuidString)")
        let script = URL(filePath: #filePath).appending(path: "../../Fixtures/datasets.py").standardized
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [python ?? "python3", script.path, "make", folder.path]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return folder
    }

    static func file(_ name: String) throws -> URL { try folder.get().appending(path: name) }
}

@Suite("Sets in every format", .enabled(if: PythonSets.python != nil, PythonSets.missing))
struct FormatTests {
    private func packed<Result>(
        _ name: String, _ options: ImportOptions = ImportOptions(), limits: ImportLimits = ImportLimits(),
        _ body: (PackedDataset) throws -> Result
    ) throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        _ = try DatasetImporter.importDataset(
            from: PythonSets.file(name).path, to: directory, limits: limits, options: options)
        return try body(PackedDataset(directory: directory))
    }

    private func expect(_ set: PackedDataset, pixels name: String) throws {
        let expected = try Data(contentsOf: PythonSets.file(name))
        #expect(Data(set.images) == expected)
    }

    static let numbered = ["0000", "0001", "0002"]
    static let named = ["cat", "dog", "eel"]

    @Test(
        "give the same images, labels and classes",
        arguments: [
            ("stored.npz", "npz", numbered), ("deflated.npz", "npz", numbered),
            ("split.npz", "npz", numbered),
            ("float.npz", "npz", numbered), ("wide.npz", "npz", numbered),
            ("set.safetensors", "safetensors", numbered),
            ("cifar-python.tar.gz", "cifar-python/tar.gz", named),
            ("cifar-binary.tar", "cifar-binary/tar", named),
            ("cifar100-binary.tar", "cifar-binary/tar", numbered),
            ("shard.tar", "webdataset/tar", numbered), ("shard-json.tar", "webdataset/tar", numbered),
            ("csv.zip", "manifest/zip", named), ("jsonl.tar.gz", "manifest/tar.gz", numbered),
            ("folders.tar", "image-folder/tar", named),
        ])
    func same(file: String, format: String, classes: [String]) throws {
        try packed(file) { set in
            #expect(set.summary.format == format)
            #expect(set.classes == classes)
            #expect(set.labels == (0..<12).map { Int32($0 % 3) })
            #expect((set.height, set.width, set.channels) == (32, 32, 3))
            try expect(set, pixels: "x.bin")
        }
    }

    @Test("give grey images one channel", arguments: ["grey.npz", "idx.tar", "idx.zip", "sixteen.tar"])
    func grey(file: String) throws {
        try packed(file) { set in
            #expect(set.channels == 1)
            #expect(set.labels == (0..<12).map { Int32($0 % 3) })
            try expect(set, pixels: "grey.bin")
        }
    }

    @Test("have a test part where they are asked for it")
    func test() throws {
        for (file, count) in [("split.npz", 3), ("cifar-python.tar.gz", 2), ("idx.zip", 2)] {
            if file == "idx.zip" {
                #expect(throws: Problem.self) { try packed(file, ImportOptions(split: .test)) { _ in } }
                continue
            }
            try packed(file, ImportOptions(split: .test)) { #expect($0.count == count, "\(file)") }
        }
    }

    @Test("refuse transparent images, or drop the alpha channel")
    func alpha() throws {
        let problem = #expect(throws: Problem.self) { try packed("alpha.tar") { _ in } }
        #expect(problem?.code == "image-format-unsupported")
        #expect(problem?.fix?.contains("alpha=drop") == true)
        try packed("alpha.tar", ImportOptions(alpha: .drop)) { try expect($0, pixels: "x.bin") }
    }

    @Test(
        "of many sizes are scaled and cropped as torchvision does with Pillow, within one step of 255",
        arguments: [
            (ImportOptions(resize: .shorterSide(24), crop: .init(height: 20, width: 20)), "mixed-24-20.bin"),
            (ImportOptions(resize: .exactly(.init(height: 40, width: 30))), "mixed-40x30.bin"),
            (ImportOptions(resize: .shorterSide(33), crop: .init(height: 64, width: 47)), "mixed-33-64.bin"),
        ])
    func scaled(options: ImportOptions, reference: String) throws {
        #expect(throws: Problem.self) { try packed("mixed.tar") { _ in } }
        try packed("mixed.tar", options) { set in
            let expected = try Data(contentsOf: PythonSets.file(reference))
            try #require(set.images.count == expected.count)
            // Newer Pillows may scale the rows before the columns, which rounds a few values the other way.
            var different = 0
            for (ours, theirs) in zip(set.images, expected) where ours != theirs {
                different += 1
                #expect(abs(Int(ours) - Int(theirs)) == 1)
            }
            #expect(different < expected.count / 20)
        }
    }

    @Test("are refused before anything is written where they do not fit")
    func space() throws {
        let limits = ImportLimits(maximumPackedBytes: 12 * 3072 - 1)
        let problem = #expect(throws: Problem.self) { try packed("stored.npz", limits: limits) { _ in } }
        #expect(problem?.code == "packed-too-large")
    }

    @Test(
        "that are cut short or changed are refused or read, and never crash",
        arguments: [
            "stored.npz", "deflated.npz", "set.safetensors", "cifar-python.tar.gz", "cifar-binary.tar",
            "idx.tar",
            "shard.tar", "csv.zip", "jsonl.tar.gz",
        ])
    func damaged(file: String) throws {
        let whole = [UInt8](try Data(contentsOf: PythonSets.file(file)))
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString + file)
        defer { try? FileManager.default.removeItem(at: path) }
        func outcome(_ bytes: [UInt8]) throws -> Problem? {
            try Data(bytes).write(to: path)
            let directory = path.path + ".set"
            defer { try? FileManager.default.removeItem(atPath: directory) }
            do {
                _ = try DatasetImporter.importDataset(from: path.path, to: directory)
                return nil
            } catch let problem as Problem { return problem }
        }
        // What is cut off a tar may be padding alone.
        for part in 1..<8 where whole[(whole.count * part / 8)...].contains(where: { $0 != 0 }) {
            let problem = try outcome(Array(whole[..<(whole.count * part / 8)]))
            #expect(problem != nil, "\(part)/8")
            #expect(
                problem?.category != .internal, "\(part)/8: \(problem.map(String.init(describing:)) ?? "")")
        }
        var seed = UInt64(1)
        for _ in 0..<24 {
            var changed = whole
            for _ in 0..<3 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                changed[Int(seed >> 33) % changed.count] ^= UInt8(1 << (seed >> 61))
            }
            #expect(try outcome(changed)?.category != .internal)
        }
    }
}

@Suite("Hostile arrays and tables")
struct HostileArrayTests {
    private func problem(_ name: String, _ bytes: [UInt8]) throws -> Problem? {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString + name)
        try Data(bytes).write(to: path)
        defer {
            try? FileManager.default.removeItem(at: path)
            try? FileManager.default.removeItem(atPath: path.path + ".set")
        }
        do {
            _ = try DatasetImporter.importDataset(from: path.path, to: path.path + ".set")
            return nil
        } catch let problem as Problem { return problem }
    }

    private func safetensors(_ header: String, data: Int) -> [UInt8] {
        let text = Array(header.utf8)
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
            + [UInt8](repeating: 9, count: data)
    }

    @Test("are refused by what is wrong with them")
    func safetensorsSets() throws {
        func header(_ images: String, _ labels: String) -> String {
            "{\"images\":\(images),\"labels\":\(labels)}"
        }
        let images = #"{"dtype":"U8","shape":[2,4,4],"data_offsets":[0,32]}"#
        let cases = [
            (
                header(images, #"{"dtype":"U8","shape":[3],"data_offsets":[32,35]}"#), 35,
                "label-count-mismatch"
            ),
            (header(images, #"{"dtype":"F32","shape":[2],"data_offsets":[32,40]}"#), 40, "label-invalid"),
            (header(images, #"{"dtype":"U8","shape":[2,1],"data_offsets":[32,34]}"#), 34, "label-invalid"),
            (header(images, #"{"dtype":"I8","shape":[2],"data_offsets":[32,34]}"#), 34, "too-few-classes"),
            (#"{"weight":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, 2, "arrays-not-found"),
            (
                header(
                    #"{"dtype":"U8","shape":[2,16],"data_offsets":[0,32]}"#,
                    #"{"dtype":"U8","shape":[2],"data_offsets":[32,34]}"#), 34, "array-shape-unsupported"
            ),
            (
                header(
                    #"{"dtype":"I64","shape":[2,2,2],"data_offsets":[0,64]}"#,
                    #"{"dtype":"U8","shape":[2],"data_offsets":[64,66]}"#), 66, "array-type-unsupported"
            ),
        ]
        for (header, data, code) in cases where code != "too-few-classes" {
            #expect(try problem("a.safetensors", safetensors(header, data: data))?.code == code, "\(header)")
        }
    }

    @Test("of Parquet are refused with the lines that convert them")
    func parquet() throws {
        let problem = try problem("a.parquet", Array("PAR1".utf8) + [UInt8](repeating: 0, count: 600))
        #expect(problem?.code == "dataset-format-unsupported")
        #expect(problem?.fix?.contains("datasets.Image(decode=False)") == true)
    }

    @Test("give rows of CSV as RFC 4180 has them")
    func csv() {
        var reader = CSVReader("a,\"b \"\"c\"\"\nd\",e\r\nf,,\n")
        #expect(reader.next() == ["a", "b \"c\"\nd", "e"])
        #expect(reader.next() == ["f", "", ""])
        #expect(reader.line == 3)
        #expect(reader.next() == nil)
        var cut = CSVReader("\"a")
        #expect(cut.next() == ["a"])
        #expect(cut.isCut)
    }

    @Test("name classes in the order of their numbers")
    func names() throws {
        let keys = (0..<3).map(ClassNames.key)
        #expect(ClassNames.display(keys, ["0000": "a", "0001": "b", "0002": "c"]) == ["a", "b", "c"])
        #expect(ClassNames.display(keys, ["0000": "z", "0001": "b"]) == ["0000_z", "0001_b", "0002_0002"])
        #expect(ClassNames.display(keys, ["0000": "a", "0001": "a"]) == ["0000_a", "0001_a", "0002_0002"])
        #expect(try ClassNames.read(Array("x\ny\n".utf8), name: "classes.txt") == ["0000": "x", "0001": "y"])
        #expect(throws: Problem.self) { try ClassNames.read(Array("[1]".utf8), name: "classes.json") }
    }
}
