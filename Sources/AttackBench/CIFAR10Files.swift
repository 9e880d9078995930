import Foundation
import Support

/// The binary version of CIFAR-10: records of one label byte and 3 x 32 x 32 bytes, red, green, blue.
///
/// Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
struct CIFAR10Files {
    static let side = 32
    static let imageBytes = 3 * side * side
    static let classes = [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]

    let training: CleanImages
    let test: CleanImages

    /// - Throws: `cifar10-unreadable`.
    init(_ folder: URL) throws {
        training = try Self.images((1...5).map { folder.appending(path: "data_batch_\($0).bin") })
        test = try Self.images([folder.appending(path: "test_batch.bin")])
    }

    private static func images(_ files: [URL]) throws -> CleanImages {
        var bytes: [UInt8] = []
        for file in files {
            guard let content = try? Data(contentsOf: file), !content.isEmpty,
                content.count.isMultiple(of: 1 + imageBytes)
            else { throw unreadable("It is missing, or not a whole number of records.", file) }
            bytes += content
        }
        let count = bytes.count / (1 + imageBytes)
        let labels = (0..<count).map { Int(bytes[$0 * (1 + imageBytes)]) }
        guard labels.allSatisfy(classes.indices.contains) else {
            throw unreadable("A label is not 0 to 9.", files[0])
        }
        return CleanImages(classes: classes, labels: labels) { [bytes] index in
            let start = index * (1 + imageBytes) + 1
            let area = side * side
            let pixels = (0..<imageBytes).map { bytes[start + $0 % 3 * area + $0 / 3] }
            return ByteImage(height: side, width: side, channels: 3, pixels: pixels)
        }
    }

    private static func unreadable(_ detail: String, _ file: URL) -> Problem {
        Problem(
            .unprocessable, code: "cifar10-unreadable", title: "CIFAR-10's binary files can't be read",
            detail: detail, location: file.path, fix: "Unpack cifar-10-binary.tar.gz anew.")
    }
}
