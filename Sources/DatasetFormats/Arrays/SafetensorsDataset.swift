import Containers
import Graph
import Support
import WorkerProtocol

/// A data set of two tensors: images and labels.
enum SafetensorsDataset {
    private static let pairs = [("images", "labels"), ("x", "y"), ("image", "label"), ("data", "targets")]

    static func source(_ file: RandomAccessFile, limits: ImportLimits) throws -> ArraySource {
        let content = try SafetensorsFile(file: file)
        func tensor(_ name: String) -> SafetensorsFile.Tensor? { content.tensors.first { $0.name == name } }
        guard
            let (images, labels) = pairs.lazy.compactMap({ pair in
                tensor(pair.0).flatMap { images in tensor(pair.1).map { (images, $0) } }
            }).first
        else {
            throw Problem(
                .unprocessable, code: "arrays-not-found",
                title: "The arrays of images and labels are not found",
                detail: "The tensors are called "
                    + content.tensors.prefix(12).map { $0.name.prefix(80) }.joined(separator: ", ") + ".",
                fix: "Call them images and labels; a file of weights is uploaded as a model.")
        }
        guard labels.shape.count == 1, labels.shape[0] <= limits.maximumImages else {
            throw Labels.invalid(
                "Their shape is \(labels.shape); one number per image is expected.", labels.name,
                fix:
                    "Save one whole number for each image: labels.argmax(1) turns one-hot labels into numbers."
            )
        }
        guard images.shape.first == labels.shape[0] else {
            throw Labels.counts(images.shape.first ?? 0, labels.shape[0], labels.name)
        }
        let types: [ScalarType: String] = [
            .uint8: "|u1", .int8: "|i1", .int16: "<i2", .int32: "<i4", .int64: "<i8", .float32: "<f4",
            .float64: "<f8",
        ]
        let targets = try ImageArray.labels(
            file.bytes(at: labels.offset, count: labels.byteCount)[...], types[labels.type] ?? "?",
            count: labels.shape[0], name: labels.name)
        return try ArraySource(
            formatName: "safetensors", name: images.name,
            pixels: ImageArray.pixels(
                images.shape,
                ImageArray.element(types[images.type] ?? "\(images.type)", name: images.name),
                name: images.name, limits: limits),
            labels: targets, stream: FileRecords(file, at: images.offset, count: images.byteCount),
            limits: limits)
    }
}

/// A range of a file.
final class FileRecords: RecordStream {
    private let file: RandomAccessFile
    private let start: Int
    private let count: Int

    private(set) var bytesRead = 0
    var bytesTotal: Int? { count }

    init(_ file: RandomAccessFile, at start: Int, count: Int) {
        self.file = file
        self.start = start
        self.count = count
    }

    // bounded: what was read is at most `count`, a range of the file.
    func read(into bytes: inout [UInt8], count wanted: Int) throws {
        let taken = min(wanted, count - bytesRead)
        bytes += try file.bytes(at: start + bytesRead, count: taken)
        bytesRead += taken
    }
}
