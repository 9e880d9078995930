import DatasetFormats
import Findings
import Foundation
import PackedDataset
import Support
import Testing

/// How a set is laid out is decided by all the names in it, and said.
@Suite struct LayoutTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// An archive of `format`, or a folder on the disk.
    private func read(
        _ entries: [(String, [UInt8])], _ format: TestArchive.Format? = .tar,
        _ options: ImportOptions = ImportOptions()
    ) throws -> PackedDataset {
        let name = UUID().uuidString
        let source: String
        if let format {
            source = folder(name)
            try TestArchive(entries.map { ($0.0, .file($0.1)) }).write(format, to: source)
        } else {
            source = folder(name)
            for (path, bytes) in entries { _ = try folder.write(bytes, to: name + "/" + path) }
        }
        let packed = folder(name + ".set")
        _ = try DatasetImporter.importDataset(from: source, to: packed, options: options)
        return try PackedDataset(directory: packed)
    }

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func images(_ names: [String]) throws -> [(String, [UInt8])] {
        try names.enumerated().map { ($1, try TestPicture($0).png) }
    }

    @Test(
        "A manifest is seen after any number of images",
        arguments: [nil, .tar, .zip, .tarGzip] as [TestArchive.Format?])
    func manifestAtTheEnd(format: TestArchive.Format?) throws {
        let names = (0..<300).map { "images/\($0).png" }
        let table =
            "file_name,label\n" + names.map { "\($0),\($0.hashValue % 2 == 0 ? "cat" : "dog")\n" }.joined()
        let set = try read(Self.images(names) + [("labels.csv", Self.text(table))], format)
        #expect(set.classes == ["cat", "dog"])
        #expect(set.count == 300)
        #expect(set.summary.reading?.layout == .manifest)
        #expect(set.summary.reading?.decision.contains("labels.csv says the labels of 300 files") == true)
    }

    @Test(
        "Two folders of images are no classes where a table says the labels, and are asked about without one")
    func twoImageFolders() throws {
        let names = (0..<6).map { "imgs\($0 % 2 + 1)/\($0).png" }
        let table = "path,label\n" + names.enumerated().map { "\($1),\($0 < 3 ? "cat" : "dog")\n" }.joined()
        let set = try read(Self.images(names) + [("labels.csv", Self.text(table))])
        #expect(set.classes == ["cat", "dog"])
        let asked = problem { try read(Self.images(names)) }
        #expect(asked?.code == "layout-ambiguous")
        #expect(asked?.detail.contains("imgs1, imgs2") == true)
        #expect(asked?.fix?.contains("layout=folders") == true)
        #expect(
            try read(Self.images(names), .tar, ImportOptions(layout: .folders)).classes == ["imgs1", "imgs2"])
    }

    @Test("Folders below class folders belong to the class; where both may be classes, the option says which")
    func nestedFolders() throws {
        let beside = try read(Self.images(["cat/0.png", "cat/old/1.png", "dog/old/new/2.png"]))
        #expect(beside.classes == ["cat", "dog"])
        #expect(try read(Self.images(["cat/images/0.png", "dog/images/1.png"])).classes == ["cat", "dog"])
        #expect(
            try read(Self.images(["batch1/cat/0.png", "batch2/cat/1.png", "batch1/dog/2.png"])).classes
                == ["cat", "dog"])
        let either = try Self.images(["animal/cat/0.png", "animal/dog/1.png", "vehicle/ship/2.png"])
        let asked = problem { try read(either) }
        #expect(asked?.code == "layout-ambiguous")
        #expect(asked?.fix?.contains("layout=leaf-folders") == true)
        #expect(try read(either, .tar, .init(layout: .folders)).classes == ["animal", "vehicle"])
        #expect(try read(either, .tar, .init(layout: .leafFolders)).classes == ["cat", "dog", "ship"])
        let parted = try Self.images(["train/cat/0.png", "train/dog/1.png", "val/cat/2.png", "val/dog/3.png"])
        #expect(try read(parted, nil, .init(split: .validation)).count == 2)
    }

    @Test("Archives in a set are parts of it, and their names tell samples of one name apart")
    func archivesOfOneSet() throws {
        var parts: [(String, [UInt8])] = []
        for (number, format) in [TestArchive.Format.tar, .zip, .tarGzip].enumerated() {
            let path = folder("\(UUID().uuidString)")
            try TestArchive(Self.images(["cat/0.png", "dog/1.png"]).map { ($0.0, .file($0.1)) }).write(
                format, to: path)
            parts.append(
                ("part\(number).\(format.rawValue)", Array(try Data(contentsOf: URL(fileURLWithPath: path)))))
        }
        for format in [nil, .tar, .zip] as [TestArchive.Format?] {
            let set = try read(parts, format)
            #expect(set.count == 6)
            #expect(set.classes == ["cat", "dog"])
        }
        // Given one by one, and read by their part.
        let files = try parts.map { try folder.write($0.1, to: "files/" + $0.0) }
        let packed = folder("several.set")
        _ = try DatasetImporter.importDataset(from: files[0], parts: Array(files[1...]), to: packed)
        #expect(try PackedDataset(directory: packed).count == 6)
        let parted = [("train.tar", parts[0].1), ("test.zip", parts[1].1)]
        #expect(try read(parted, .tar, .init(split: .test)).count == 2)
        // An archive in an archive in an archive is none of images.
        let nested = folder("nested.tar")
        try TestArchive([("part0.tar", .file(parts[0].1))]).write(.tar, to: nested)
        let deep = Array(try Data(contentsOf: URL(fileURLWithPath: nested)))
        #expect(problem { try read([("deep.tar", deep)]) }?.code == "dataset-empty")
    }

    @Test("Links within a folder are followed, others and endless ones refused")
    func links() throws {
        for (path, bytes) in try Self.images(["cat/0.png", "dog/1.png"]) {
            _ = try folder.write(bytes, to: "links/" + path)
        }
        func link(_ name: String, to target: String) throws {
            try FileManager.default.createSymbolicLink(
                atPath: folder("links/" + name), withDestinationPath: target)
        }
        func classes() throws -> [Int] {
            let packed = folder(UUID().uuidString)
            return try DatasetImporter.importDataset(from: folder("links"), to: packed).classes.map(\.samples)
        }
        try link("cat/2.png", to: "../dog/1.png")
        try link("owl", to: "dog")
        #expect(try classes() == [2, 1, 1])
        for (name, target) in [("cat/3.png", "/etc/hostname"), ("cat/again", ".."), ("cat/none", "nowhere")] {
            try link(name, to: target)
            let refused = problem { try classes() }
            #expect(refused?.code == "entry-not-a-file", "\(name)")
            #expect(refused?.location == name)
            try FileManager.default.removeItem(atPath: folder("links/" + name))
        }
    }

    @Test("All damaged images are listed; with the option the others are read, and it is said")
    func damagedImages() throws {
        let names = (0..<120).map { "\($0 % 2 == 0 ? "cat" : "dog")/\($0).png" }
        var entries = try Self.images(names + ["cat/x.png", "dog/y.png"])
        for index in 0..<names.count {
            entries[index].1 = index % 3 == 0 ? [] : Array(entries[index].1.dropLast(20))
        }
        let listed = problem { try read(entries) }
        #expect(listed?.code == "images-damaged")
        #expect(listed?.detail.hasPrefix("120 of the 122 images; the first 100 of them:") == true)
        #expect(listed?.detail.contains("cat/0.png: The file is empty.") == true)
        #expect(listed?.fix?.contains("--skip-damaged") == true)
        let set = try read(entries, nil, .init(skipDamaged: true))
        #expect(set.count == 2)
        #expect(set.summary.reading?.damaged?.count == 120)
        #expect(set.summary.reading?.damaged?.files.count == 100)
        #expect(
            set.summary.reading?.sentences.contains {
                $0.hasPrefix("120 images of the set could not be read")
            } == true)
        let lost = problem {
            try read(Array(entries[0...1] + entries[121...]), nil, .init(skipDamaged: true))
        }
        #expect(lost?.code == "empty-class")
    }

    @Test("Classes without images are classes where the option says so; junk of systems is none")
    func emptyClasses() throws {
        let images = try Self.images(["ant/0.png", "cat/1.png"])
        for (path, bytes) in images { _ = try folder.write(bytes, to: "set/" + path) }
        for name in ["bee", "System Volume Information", "lost+found", "__pycache__"] {
            try FileManager.default.createDirectory(
                atPath: folder("set/" + name), withIntermediateDirectories: true)
        }
        #expect(
            problem { try DatasetImporter.importDataset(from: folder("set"), to: folder("a")) }?.location
                == "bee")
        let summary = try DatasetImporter.importDataset(
            from: folder("set"), to: folder("b"), options: .init(emptyClasses: true))
        #expect(summary.classes.map(\.name) == ["ant", "bee", "cat"])
        #expect(summary.classes.map(\.samples) == [1, 0, 1])
        #expect(try PackedDataset(directory: folder("b")).count == 2)
    }

    @Test("Names without a folder in a table are files anywhere, once")
    func bareNames() throws {
        let table = ("train.csv", Self.text("filename,class\n0.png,cat\n1.png,dog\n"))
        #expect(try read(Self.images(["images/0.png", "images/1.png"]) + [table]).classes == ["cat", "dog"])
        let twice = problem {
            try read(
                Self.images(["a/0.png", "b/1.png", "b/0.png"]) + [table], .tar, .init(layout: .manifest))
        }
        #expect(twice?.code == "manifest-ambiguous")
    }

    @Test("Class folders and a table that says something else are asked about; with the option each is read")
    func tableAgainstFolders() throws {
        let images = try Self.images(["cat/0.png", "cat/1.png", "dog/2.png", "dog/3.png"])
        let other = (
            "labels.csv",
            Self.text("file,label\ncat/0.png,dog\ncat/1.png,cat\ndog/2.png,dog\ndog/3.png,eel\n")
        )
        let asked = problem { try read(images + [other]) }
        #expect(asked?.code == "layout-ambiguous")
        #expect(asked?.fix?.contains("layout=manifest or layout=folders") == true)
        #expect(try read(images + [other], .tar, .init(layout: .manifest)).classes == ["cat", "dog", "eel"])
        let folders = try read(images + [other], .tar, .init(layout: .folders))
        #expect(folders.classes == ["cat", "dog"])
        #expect(folders.summary.reading?.ignored.map(\.kind) == [".csv"])
        // A table that says what the folders say is no other reading.
        let same = (
            "labels.csv", Self.text("file,label\ncat/0.png,0\ncat/1.png,0\ndog/2.png,1\ndog/3.png,1\n")
        )
        #expect(try read(images + [same]).summary.reading?.layout == .manifest)
    }

    @Test("Annotations beside images in class folders are ignored, whatever their fields are called")
    func sidecars() throws {
        let names = ["bird/0.png", "bird/1.png", "frog/0.png", "frog/1.png"]
        let images = try Self.images(names)
        for stray in [
            ["bird/0.json"], names.map { $0.replacing(".png", with: ".json") }, ["bird/0.txt", "frog/1.txt"],
        ] {
            let notes = stray.map { ($0, Self.text(#"{"class": "indoor"}"#)) }
            let set = try read((images + notes).sorted { $0.0 < $1.0 }, nil)
            #expect(set.classes == ["bird", "frog"])
            #expect(set.summary.reading?.layout == .folders)
            #expect(set.summary.reading?.ignored.map(\.count) == [stray.count])
            #expect(set.summary.reading?.ignored.first?.examples.first == stray[0])
        }
        // A .cls is a label by its name.
        let labels = names.map { ($0.replacing(".png", with: ".cls"), Self.text("1")) }
        #expect(problem { try read((images + labels).sorted { $0.0 < $1.0 }) }?.code == "layout-ambiguous")
    }

    @Test("A layout that is asked for and is not there is refused")
    func wrongLayout() throws {
        let images = try Self.images(["cat/0.png", "dog/1.png"])
        for layout in ImportOptions.Layout.allCases where layout != .folders {
            let refused = problem { try read(images, .zip, .init(layout: layout)) }
            #expect(refused?.code == "layout-not-found", "\(layout)")
            #expect(refused?.fix?.contains("layout=folders") == true, "\(layout)")
        }
        let arrays = problem {
            try read([("x.npy", []), ("y.npy", [])], .zip, .init(layout: .folders))
        }
        #expect(arrays?.fix?.contains("layout=arrays") == true)
    }

    @Test("Numbers of classes are numbers, as a data frame writes them too")
    func numbers() throws {
        let names = (0..<12).map { "images/\($0).png" }
        for label in [{ "\($0)" }, { "\($0).0" }, { "\($0).000" }] as [(Int) -> String] {
            let table = "file,label\n" + names.enumerated().map { "\($1),\(label($0))\n" }.joined()
            let set = try read(Self.images(names) + [("labels.csv", Self.text(table))])
            #expect(set.summary.classes.map(\.label) == Array(0..<12))
            #expect(set.labels == (0..<12).map { Int32($0) })
        }
        let lines = names.enumerated().map { #"{"file_name": "\#($1)", "label": \#($0).0}"# }.joined(
            separator: "\n")
        let set = try read(Self.images(names) + [("metadata.jsonl", Self.text(lines))])
        #expect(set.summary.classes.map(\.label) == Array(0..<12))
        let half = "file,label\n" + names.enumerated().map { "\($1),\($0).5\n" }.joined()
        #expect(
            problem { try read(Self.images(names) + [("labels.csv", Self.text(half))]) }?.code
                == "label-invalid")
    }

    @Test("The parts of a set are told by tables, columns and folders, and split chooses")
    func splits() throws {
        let names = (0..<8).map { "images/\($0).png" }
        func table(_ range: Range<Int>) -> [UInt8] {
            Self.text("file,label\n" + range.map { "\(names[$0]),\($0 % 2)\n" }.joined())
        }
        let column = Self.text(
            "file,label,split\n"
                + (0..<8).map { "\(names[$0]),\($0 % 2),\($0 < 6 ? "train" : "test")\n" }.joined())
        let images = try Self.images(names)
        let folders = try Self.images([
            "train/a/0.png", "train/b/1.png", "train/b/2.png", "test/a/0.png", "test/b/1.png",
        ])
        let sets = [
            (images + [("train.csv", table(0..<6)), ("test.csv", table(6..<8))], 6, 2),
            (images + [("labels.csv", column)], 6, 2), (folders, 3, 2),
        ]
        for (entries, train, test) in sets {
            for (split, count) in [(nil, train), (.train, train), (.test, test)]
                as [(ImportOptions.Split?, Int)]
            {
                let set = try read(entries, .tar, .init(split: split))
                #expect(set.count == count)
                #expect(set.summary.reading?.split == split ?? .train)
            }
        }
        let two = images + [("a.csv", table(0..<4)), ("b.csv", table(4..<8))]
        #expect(problem { try read(two) }?.code == "manifests-ambiguous")
        // Each of its own folder.
        let apart =
            try Self.images(["x1/0.png", "x1/1.png", "x2/0.png"]) + [
                ("x1/labels.csv", Self.text("file,label\n0.png,cat\n1.png,dog\n")),
                ("x2/labels.csv", Self.text("file,label\n0.png,dog\n")),
            ]
        #expect(try read(apart, .tar, .init(layout: .manifest)).labels == [0, 1, 1])
        let only = try Self.images(["test/a/0.png", "test/b/1.png"])
        #expect(try read(only).count == 2)
        #expect(try read(only, .tar, .init(split: .test)).count == 2)
        #expect(problem { try read(only, .tar, .init(split: .train)) }?.code == "split-missing")
    }

    @Test("Files that name the classes are used where they fit, and named as ignored where not")
    func classFiles() throws {
        let images = try Self.images(["airplane/0.png", "Bird/1.png", "cat/2.png"])
        let order = ("classes.txt", Self.text("airplane\ncat\nBird\n"))
        let set = try read([order] + images)
        #expect(set.classes == ["Bird", "airplane", "cat"])
        #expect(set.summary.classes.map(\.label) == [2, 0, 1])
        #expect(set.summary.reading?.notes == ["classes.txt says which output each class is."])
        let table = ("labels.csv", Self.text("ClassId,Name\n0,cat\n1,airplane\n2,Bird\n"))
        #expect(try read(images + [table]).summary.classes.map(\.label) == [2, 1, 0])
        let contradicting = try read(images + [table, order])
        #expect(contradicting.summary.classes.map(\.label) == [nil, nil, nil])
        #expect(contradicting.summary.reading?.ignored.first?.reason == "contradicts another such file")
        // Folders that are numbers of classes.
        let signs = try Self.images(["0/a.png", "1/b.png", "10/c.png", "2/d.png"])
        let names = ("labels.csv", Self.text("ClassId,Name\n0,stop\n1,yield\n2,ahead\n10,end\n11,none\n"))
        let named = try read(signs + [names])
        #expect(named.summary.classes.map(\.label) == [0, 1, 2, 10])
        #expect(named.summary.classes.map(\.name) == ["0000_stop", "0001_yield", "0002_ahead", "0010_end"])
        #expect(named.labels == [0, 1, 3, 2])
    }

    @Test(
        "What lies beside class folders is no reason to refuse them",
        arguments: [nil, .tar, .zip] as [TestArchive.Format?])
    func others(format: TestArchive.Format?) throws {
        let others = [
            ("README.md", "text"), (".DS_Store", "x"), ("__MACOSX/cat/._0.png", "x"), ("cat/Thumbs.db", "x"),
            ("cat/0.txt", "a photo of a cat"), ("dog/1.txt", "a photo of a dog"),
            ("labels.csv", "a,b\n1,2\n"),
            ("classes.txt", "something\nelse\n"), ("metadata.csv", "x\n"), ("annotations/0.json", "{}"),
            ("train", "not CIFAR's"), ("meta.parquet", "x"), ("extra.npy", "x"), ("old.tar", "x"),
        ]
        let set = try read(
            Self.images(["cat/0.png", "dog/1.png"]) + others.map { ($0.0, Self.text($0.1)) }, format)
        #expect(set.classes == ["cat", "dog"])
        #expect(set.count == 2)
        #expect(set.summary.skippedTotal == others.count)
        #expect(set.summary.reading?.ignored.reduce(0) { $0 + $1.count } == others.count)
    }

    @Test("WebDataset shards in a folder or a tar are one set")
    func shards() throws {
        func shard(_ numbers: Range<Int>, _ kind: String, _ name: (Int) -> String = { "\($0)" }) throws
            -> [UInt8]
        {
            let path = folder(UUID().uuidString)
            try TestArchive(
                try numbers.flatMap { number in
                    [
                        ("\(name(number)).png", .file(try TestPicture(number).png)),
                        (
                            "\(name(number)).\(kind)",
                            .file(
                                Self.text(
                                    kind == "json" ? #"{"label": \#(number % 3).0}"# : "\(number % 3)\n"))
                        ),
                    ]
                }
            ).write(.tar, to: path)
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        }
        for kind in ["cls", "txt", "json"] {
            let shards = try [
                ("train-000000.tar", shard(0..<6, kind)), ("train-000001.tar", shard(3..<9, kind)),
            ]
            for format in [nil, .tar, .tarGzip] as [TestArchive.Format?] {
                let set = try read(shards + [("README.md", [])], format)
                #expect(set.summary.format == "webdataset/" + (format?.rawValue ?? "directory"))
                #expect(set.labels == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])
                #expect(set.name(of: 6) == "train-000001.tar/3.png")
                #expect(set.withImage(at: 6) { Array($0) } == TestPicture(3).pixels)
            }
            #expect(try read([("a.tar", shard(0..<6, kind))], nil).count == 6)
        }
        let point = try (0..<4).flatMap { number in
            [("\(number).png", try TestPicture(number).png), ("\(number).cls", Self.text("\(number % 2).0"))]
        }
        #expect(try read(point).summary.classes.map(\.label) == [0, 1])
        #expect(
            problem { try read(point.map { ($0.0, $0.0.hasSuffix("cls") ? Self.text("0.5") : $0.1) }) }?.code
                == "label-invalid")
        let parts = try [
            ("train-0.tar", shard(0..<6, "cls")), ("val-0.tar", shard(6..<9, "cls")),
            ("test-0.tar", shard(0..<3, "cls")),
        ]
        #expect(try read(parts).count == 6)
        #expect(try read(parts, .tar, .init(split: .test)).count == 3)
        let dots = problem { try read([("a.tar", shard(0..<6, "cls") { "img.v1.\($0)" })]) }
        #expect(dots?.code == "sample-with-many-images")
        #expect(dots?.detail.contains("“img”") == true)
        // The same key in two archives: the last sample of one and the first of the other.
        let zips = try [("a.zip", ["0", "1"]), ("b.zip", ["1", "0"])].map { name, keys in
            let path = folder(UUID().uuidString)
            try TestArchive(
                keys.flatMap { key in
                    [("\(key).png", .file(try TestPicture(3).png)), ("\(key).cls", .file(Self.text(key)))]
                }
            ).write(.zip, to: path)
            return (name, [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
        }
        #expect(try read(zips).labels == [0, 1, 1, 0])
        // A picture and its mask are one sample, of which the picture is taken.
        let masked = try ["0", "1"].flatMap { key in
            [
                ("\(key).mask.png", try TestPicture(7).png), ("\(key).png", try TestPicture(1).png),
                ("\(key).cls", Self.text(key)),
            ]
        }
        let pictures = try read(masked)
        #expect(pictures.count == 2 && pictures.withImage(at: 0) { Array($0) } == TestPicture(1).pixels)
        #expect(pictures.summary.reading?.ignored.first?.reason == "another image of its sample")
    }

    /// Each is within the limit of one archive, and all of them together are not.
    @Test func archivesWithinUnpackNoFurtherThanOne() throws {
        let parts = try (0..<3).map { number in
            let path = folder(UUID().uuidString)
            try TestArchive([
                ("cat/\(number).png", .file(try TestPicture(1).png)),
                ("dog/\(number).png", .file(try TestPicture(2).png)), ("zeros.bin", .zeros(50 << 20)),
            ]).write(.tarGzip, to: path)
            return ("part\(number).tar.gz", [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
        }
        #expect(try read([parts[0]], .tar).count == 2)
        #expect(problem { try read(parts, .tar) }?.code == "archive-expands-too-far")
    }
}
