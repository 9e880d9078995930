import Findings
import Foundation
import PackedDataset
import Support
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
            ("hf.parquet", "parquet", named), ("hf-zstd.parquet", "parquet", named),
            ("hf-gzip.parquet", "parquet", named), ("hf-brotli.parquet", "parquet", named),
            ("hf-lz4.parquet", "parquet", named), ("hf-none.parquet", "parquet", named),
            ("shards.zip", "parquet/zip", named), ("shards.tar.gz", "parquet/tar.gz", named),
            ("pixels.parquet", "parquet", named), ("planar.parquet", "parquet", named),
            ("shaped.parquet", "parquet", named), ("binary.parquet", "parquet", numbered),
            ("float32.parquet", "parquet", numbered), ("float64.parquet", "parquet", numbered),
            ("written.parquet", "parquet", numbered),
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

    @Test(
        "give grey images one channel",
        arguments: ["grey.npz", "idx.tar", "idx.zip", "sixteen.tar", "flat.parquet"])
    func grey(file: String) throws {
        try packed(file) { set in
            #expect(set.channels == 1)
            #expect(set.labels == (0..<12).map { Int32($0 % 3) })
            try expect(set, pixels: "grey.bin")
        }
    }

    @Test("have a test part where they are asked for it")
    func test() throws {
        for (file, count) in [
            ("split.npz", 3), ("cifar-python.tar.gz", 2), ("shards.zip", 3), ("idx.zip", 2),
        ] {
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
        for file in ["stored.npz", "hf.parquet", "csv.zip"] {
            let problem = #expect(throws: Problem.self) { try packed(file, limits: limits) { _ in } }
            #expect(problem?.code == "packed-too-large")
            #expect(problem?.detail.contains("12 images") == true)
        }
    }

    @Test(
        "in Parquet that cannot be used are refused with what is wrong, and where",
        arguments: [
            ("bad-text.parquet", "parquet-columns", "text: string", "bad-text.parquet"),
            ("bad-labels.parquet", "parquet-columns", "caption: string", "bad-labels.parquet"),
            ("bad-unlabelled.parquet", "label-invalid", "-1", "bad-unlabelled.parquet[0]"),
            ("bad-half.parquet", "label-invalid", "0.5", "bad-half.parquet[0]"),
            ("bad-beyond.parquet", "label-invalid", "0 to 2", "bad-beyond.parquet[2]"),
            ("bad-external.parquet", "row-without-image", "a/b.png", "bad-external.parquet[0]"),
            ("bad-image.parquet", "images-damaged", "PNG", "bad-image.parquet[0]"),
            ("bad-ragged.parquet", "parquet-damaged", "different lengths", "bad-ragged.parquet[0]"),
            ("bad-values.parquet", "parquet-damaged", "300", "bad-values.parquet[0]"),
            ("bad-shards.zip", "parquet-shards-differ", "3 class names", "train-00001-of-00002.parquet"),
            ("bad-shard.zip", "parquet-damaged", "failed", "train-00001-of-00002.parquet"),
            ("bad-bomb.parquet", "parquet-too-large", "536870912", "bad-bomb.parquet[0]"),
        ])
    func parquet(file: String, code: String, detail: String, location: String) throws {
        let problem = #expect(throws: Problem.self) { try packed(file) { _ in } }
        #expect(problem?.code == code, "\(String(describing: problem))")
        #expect(problem?.detail.contains(detail) == true, "\(String(describing: problem))")
        #expect(problem?.location?.contains(location) == true, "\(String(describing: problem))")
    }

    @Test("refuse a part where they have none, and options of image files where they are arrays")
    func withoutEffect() throws {
        let noParts = [
            "stored.npz", "set.safetensors", "shard.tar", "csv.zip", "folders.tar", "hf.parquet",
        ]
        for file in noParts {
            for split in ImportOptions.Split.allCases {
                let problem = #expect(throws: Problem.self) {
                    try packed(file, ImportOptions(split: split)) { _ in }
                }
                #expect(problem?.code == "option-without-effect", "\(file): \(String(describing: problem))")
                #expect(problem?.location == "split", "\(file)")
            }
        }
        let arrays = [
            "stored.npz", "set.safetensors", "cifar-python.tar.gz", "cifar-binary.tar", "idx.tar",
            "pixels.parquet",
        ]
        for file in arrays {
            for (options, place) in [
                (ImportOptions(alpha: .refuse), "alpha"), (ImportOptions(alpha: .drop), "alpha"),
                (ImportOptions(orientation: .stored), "orientation"),
                (ImportOptions(orientation: .upright), "orientation"),
            ] {
                let problem = #expect(throws: Problem.self) { try packed(file, options) { _ in } }
                #expect(problem?.code == "option-without-effect", "\(file): \(String(describing: problem))")
                #expect(problem?.location == place, "\(file)")
            }
        }
        // On files of images they have an effect wherever there is something to treat, and the summary says on how many.
        for file in ["folders.tar", "csv.zip", "shard.tar", "hf.parquet"] {
            try packed(file, ImportOptions(alpha: .drop, orientation: .upright)) { set in
                #expect(set.summary.reading?.turned == 0)
                #expect(set.summary.reading?.orientation == .upright)
            }
        }
        let layouts: [(String, ImportOptions.Layout)] = [
            ("stored.npz", .arrays), ("idx.tar", .arrays), ("set.safetensors", .arrays),
            ("cifar-python.tar.gz", .cifar),
            ("cifar-binary.tar", .cifar), ("shard.tar", .webdataset), ("csv.zip", .manifest),
            ("folders.tar", .folders),
            ("hf.parquet", .parquet), ("shards.zip", .parquet),
        ]
        for (file, layout) in layouts {
            for asked in ImportOptions.Layout.allCases {
                guard asked != layout else {
                    try packed(file, ImportOptions(layout: asked)) {
                        #expect($0.summary.reading?.layout == layout)
                    }
                    continue
                }
                // Files of a shard or of a manifest may be taken as folders; they lie in none.
                let problem = #expect(throws: Problem.self, "\(file), \(asked)") {
                    try packed(file, ImportOptions(layout: asked)) { _ in }
                }
                #expect(
                    problem?.code == "layout-not-found"
                        || asked == .folders && problem?.code == "image-outside-class"
                        || asked == .folders && problem?.code == "too-few-classes"
                        || asked == .leafFolders && problem?.code == "too-few-classes",
                    "\(file), \(asked): \(problem?.code ?? "")")
            }
        }
    }

    @Test("keep the number of a class where others have no images")
    func gaps() throws {
        for (file, label) in [("hf.parquet", "eel"), ("set.safetensors", "0002")] {
            try packed(file) { set in
                #expect(set.summary.classes.map(\.label) == [0, 1, 2])
                #expect(set.summary.classes.last?.name == label)
            }
        }
        try packed("csv.zip") { #expect($0.summary.classes.map(\.label) == [nil, nil, nil]) }
        // Of CIFAR-10's test part, only cat and dog.
        try packed("cifar-python.tar.gz", ImportOptions(split: .test)) { set in
            #expect(set.summary.classes.map(\.label) == [0, 1])
        }
    }

    @Test(
        "that are cut at any byte are refused, and never crash",
        arguments: ["flat.parquet", "hf.parquet", "grey.npz", "set.safetensors", "idx.tar"])
    func cut(file: String) throws {
        let whole = try Data(contentsOf: PythonSets.file(file))
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString + file).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        // All of the head and the tail, and every 61st byte between.
        for count in 0..<whole.count
        where count < 1_500 || count > whole.count - 1_500 || count.isMultiple(of: 61) {
            // What is cut off a tar may be padding alone.
            guard whole[count...].contains(where: { $0 != 0 }) else { continue }
            try whole.prefix(count).write(to: URL(filePath: path))
            let directory = path + ".set"
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let problem = #expect(throws: Problem.self, "\(count)") {
                _ = try DatasetImporter.importDataset(from: path, to: directory)
            }
            #expect(problem?.category != .internal, "\(count): \(String(describing: problem))")
        }
    }

    @Test(
        "that are cut short or changed are refused or read, and never crash",
        arguments: [
            "stored.npz", "deflated.npz", "set.safetensors", "cifar-python.tar.gz", "cifar-binary.tar",
            "idx.tar",
            "shard.tar", "csv.zip", "jsonl.tar.gz", "hf.parquet", "pixels.parquet", "shards.zip",
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

    @Test("of Parquet are refused where they are damaged or encrypted")
    func parquet() throws {
        func footer(_ length: UInt32) -> [UInt8] {
            Array("PAR1".utf8) + [UInt8](repeating: 0, count: 600)
                + withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array("PAR1".utf8)
        }
        for bytes in [Array("PAR1".utf8), footer(0), footer(600), footer(.max), footer(10_000)] {
            #expect(try problem("a.parquet", bytes)?.code == "parquet-damaged", "\(bytes.suffix(8))")
        }
        let encrypted = try problem("a.parquet", Array("PARE".utf8) + [UInt8](repeating: 0, count: 600))
        #expect(encrypted?.code == "dataset-format-unsupported")
        #expect(encrypted?.detail.contains("encrypted") == true)
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
        #expect(ClassNames.display(keys, ["0000": "z", "0001": "b"]) == ["0000_z", "0001_b", "0002"])
        #expect(ClassNames.display(keys, ["0000": "a", "0001": "a"]) == ["0000_a", "0001_a", "0002"])
        // With the label in front, and not the place among those that are there.
        #expect(ClassNames.display(["0003", "0007"], ["0003": "z", "0007": "b"]) == ["0003_z", "0007_b"])
        #expect(ClassNames.display(["x", "y"], ["x": "z", "y": "b"]) == ["0000_z", "0001_b"])
        #expect(ClassNames.numbers(["0003", "0010"]) == [3, 10])
        #expect(ClassNames.numbers(["0003", "x"]) == nil)
        #expect(ClassNames.numbers(["3"]) == nil)
        #expect(ClassNames.aliases(Array(#"{"x": "z", "y": "b"}"#.utf8)) == ["x": "z", "y": "b"])
        #expect(ClassNames.aliases(Array("[1]".utf8)).isEmpty)
    }
}
