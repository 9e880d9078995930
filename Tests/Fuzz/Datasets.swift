import DatasetFormats
import Findings
import Foundation
import WorkerProtocol
import ZipFixtures

/// Uploads of labelled images.
enum Datasets {
    private static let options: [ImportOptions] = [
        ImportOptions(), ImportOptions(split: .test), ImportOptions(alpha: .drop),
        ImportOptions(resize: .shorterSide(6)), ImportOptions(resize: .exactly(.init(height: 5, width: 9))),
        ImportOptions(crop: .init(height: 4, width: 4)),
        ImportOptions(resize: .shorterSide(8), crop: .init(height: 3, width: 7), alpha: .drop),
        ImportOptions(skipDamaged: true, emptyClasses: true), ImportOptions(split: .validation),
        ImportOptions(resize: .shorterSide(2), layout: .leafFolders, orientation: .upright),
    ]

    /// The file as it is: zip, tar and compressed tar through libarchive, safetensors.
    @Sendable static func archive(_ input: Input) {
        var input = input
        let options = options[input.byte() % options.count]
        load(Scratch.write(input.bytes), options)
    }

    /// What is found in a sound archive: each entry is a name's number, two bytes of length, the content.
    @Sendable static func layout(_ input: Input) {
        var input = input
        let options = options[input.byte() % options.count]
        var zip = ZipBuilder()
        while !input.isEmpty, zip.entries.count < 16 {
            let name = names[input.byte() % names.count]
            let length = input.byte() | input.byte() << 8
            zip.entries.append(.init(name, input.take(length)))
        }
        load(Scratch.write(zip.build()), options)
    }

    private static let names = [
        "x.npy", "y.npy", "x_train.npy", "y_train.npy", "images.npy", "labels.npy",
        "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx4-ubyte",
        "t10k-labels-idx1-ubyte",
        "data_batch_1.bin", "test_batch.bin", "data_batch_1", "test_batch", "train", "batches.meta", "meta",
        "train.bin", "manifest.csv", "metadata.jsonl", "labels.csv", "a/1.png", "a/2.jpg", "b/1.png",
        "b/2.jpg",
        "1.png", "1.cls", "1.json", "2.jpg", "2.cls", "2.json", "classes.txt", "class_names.json",
        "train-images-idx3-ubyte.gz", "é/3.png", "a/4.webp", "b/5.gif", "a/c/6.bmp", "b/7.tiff", "part1.zip",
        "part2.tar", "train.tar",
    ]

    /// - Returns: whether it was taken.
    @discardableResult
    static func load(_ path: String, _ options: ImportOptions = ImportOptions()) -> Bool {
        let directory = Scratch.folder + "/packed"
        let limits = ImportLimits(
            maximumImages: 500, maximumClasses: 50, maximumSide: 64, maximumEntryBytes: 1 << 18,
            maximumPackedBytes: 1 << 22)
        let summary = refusable {
            try DatasetImporter.importDataset(from: path, to: directory, limits: limits, options: options)
        }
        if let summary {
            require((1...500).contains(summary.samples), "\(summary.samples) images are packed")
            require((2...50).contains(summary.classes.count), "\(summary.classes.count) classes are found")
            try? FileManager.default.removeItem(atPath: directory)
        } else {
            let left = try? FileManager.default.contentsOfDirectory(atPath: directory)
            require(left?.isEmpty ?? true, "a refused upload leaves \(left ?? []) behind")
        }
        return summary != nil
    }
}
