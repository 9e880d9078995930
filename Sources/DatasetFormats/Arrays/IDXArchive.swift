import Containers
import Findings
import Support
import WorkerProtocol

// bounded in this file: places in bytes whose number was compared with the header, sizes of 32 bits.

/// MNIST's format (IDX): a magic with the element type and the number of sizes, the sizes, the elements.
/// One file holds the images, another the labels; either may be gzip-compressed.
enum IDXArchive {
    private static let maximumBytes = 1 << 30

    static func isImages(_ name: String) -> Bool {
        name.contains("idx3-ubyte") || name.contains("idx4-ubyte")
    }
    static func isLabels(_ name: String) -> Bool { name.contains("idx1-ubyte") }

    /// - Parameters:
    ///   - files: names of the archive's files.
    ///   - split: nil where the names tell no parts.
    static func source(
        format: String, files: [String], split: ImportOptions.Split?, limits: ImportLimits,
        open: () throws -> any EntrySource
    ) throws -> ArraySource {
        func pick(_ matches: (String) -> Bool) -> String? {
            let found = files.filter {
                matches($0) && (split == nil || SetParts.part(of: $0) == split?.rawValue)
            }
            return found.count == 1 ? found[0] : nil
        }
        guard let images = pick(isImages), let labels = pick(isLabels) else {
            throw Problem(
                .unprocessable, code: "arrays-not-found",
                title: "The arrays of images and labels are not found",
                detail: "The files are \(files.prefix(8).joined(separator: ", ")).",
                fix: "Pack both files of a part, such as train-images-idx3-ubyte and train-labels-idx1-ubyte."
            )
        }
        let targets = try content(labels, open())
        let (labelShape, labelStart) = try header(targets, labels)
        guard labelShape.count == 1, targets.count - labelStart >= labelShape[0] else {
            throw damaged("It holds no list of labels, or is cut short.", labels)
        }
        let pixels = try content(images, open())
        let (shape, start) = try header(pixels, images)
        guard shape.count > 1, shape[0] == labelShape[0] else {
            throw Labels.counts(shape.first ?? 0, labelShape[0], labels)
        }
        return try ArraySource(
            formatName: format, name: images,
            pixels: ImageArray.pixels(shape, .uint8, name: images, limits: limits),
            labels: targets[labelStart..<labelStart + labelShape[0]].map(Int.init),
            stream: MemoryRecords(pixels, from: start), limits: limits)
    }

    private static func content(_ name: String, _ source: any EntrySource) throws -> [UInt8] {
        while let entry = try source.next() {
            guard entry.name == name else { continue }
            var bytes: [UInt8] = []
            try source.read(into: &bytes, limit: maximumBytes)
            return bytes.starts(with: [0x1F, 0x8B]) ? try Gunzip.bytes(bytes, limit: maximumBytes) : bytes
        }
        throw damaged("The entry is not there any more.", name)
    }

    private static func header(_ bytes: [UInt8], _ name: String) throws -> (shape: [Int], start: Int) {
        guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0, bytes[2] == 0x08, (1...4).contains(bytes[3]),
            bytes.count >= 4 + 4 * Int(widened: bytes[3])
        else { throw damaged("It does not begin as an IDX file of bytes does.", name) }
        let shape = (0..<Int(widened: bytes[3])).map { axis in
            bytes[4 + 4 * axis..<8 + 4 * axis].reduce(0) { $0 << 8 | Int(widened: $1) }
        }
        return (shape, 4 + 4 * shape.count)
    }

    private static func damaged(_ detail: String, _ name: String) -> Problem {
        Problem(
            .malformed, code: "idx-damaged", title: "An IDX file is damaged", detail: detail, location: name,
            fix: "Compare the file's size and checksum with the original's.")
    }
}
