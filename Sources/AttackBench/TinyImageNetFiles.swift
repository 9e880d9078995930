import Foundation
import Support

/// Tiny-ImageNet as it is distributed, brought into class folders that a worker can import.
///
/// Le and Yang, "Tiny ImageNet Visual Recognition Challenge", 2015: 200 classes of 64 x 64 JPEG images,
/// training images in `train/CLASS/images`, validation images in `val/images` with their classes in
/// `val/val_annotations.txt`.
struct TinyImageNetFiles {
    private let folder: URL

    /// Nil where the folder holds something else.
    init?(_ folder: URL) {
        guard isThere(folder.appending(path: "wnids.txt")),
            isThere(folder.appending(path: "val/val_annotations.txt"))
        else { return nil }
        self.folder = folder
    }

    /// `TREE/CLASS/FILE` for every training image: a hard link, or a copy where that is not possible.
    func arrangeTraining(in tree: URL) throws {
        let training = folder.appending(path: "train")
        try arrange(in: tree) { add in
            for name in try Self.entries(training) {
                let images = training.appending(path: "\(name)/images")
                for file in try Self.entries(images) { try add(images.appending(path: file), name) }
            }
        }
    }

    func arrangeValidation(in tree: URL) throws {
        let table = folder.appending(path: "val/val_annotations.txt")
        let images = folder.appending(path: "val/images")
        try arrange(in: tree) { add in
            for line in try String(contentsOf: table, encoding: .utf8).split(whereSeparator: \.isNewline) {
                let fields = line.split(separator: "\t")
                guard fields.count >= 2, !fields[0].contains("/"), !fields[1].contains("/") else {
                    throw Problem(
                        .unprocessable, code: "tiny-imagenet-unreadable",
                        title: "Tiny-ImageNet's files can't be read",
                        detail: "A line has no file and class: \(line)", location: table.path)
                }
                try add(images.appending(path: String(fields[0])), String(fields[1]))
            }
        }
    }

    /// The tree appears whole or not at all.
    private func arrange(in tree: URL, _ body: ((_ file: URL, _ name: String) throws -> Void) throws -> Void)
        throws
    {
        guard !isThere(tree) else { return }
        let part = tree.appendingPathExtension("part")
        let manager = FileManager.default
        try? manager.removeItem(at: part)
        try body { file, name in
            let folder = part.appending(path: name)
            try manager.createDirectory(at: folder, withIntermediateDirectories: true)
            let place = folder.appending(path: file.lastPathComponent)
            if link(file.path, place.path) != 0 { try manager.copyItem(at: file, to: place) }
        }
        try manager.moveItem(at: part, to: tree)
    }

    private static func entries(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }
            .sorted()
    }
}
