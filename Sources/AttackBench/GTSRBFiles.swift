import Foundation
import Support

/// The German Traffic Sign Recognition Benchmark as it is distributed: binary PPM images of many sizes,
/// training images in one folder per class, test images in one folder with their classes in a table.
///
/// Stallkamp, Schlipsing, Salmen and Igel, "The German Traffic Sign Recognition Benchmark", IJCNN 2011.
/// Images are brought to 32 x 32 pixels by averaging.
struct GTSRBFiles {
    static let side = 32

    private let folder: URL
    private let trainingFolder: URL

    /// Nil where the folder holds something else.
    init?(_ folder: URL) {
        let candidates = ["Final_Training/Images", "Training"].map { folder.appending(path: $0) }
        guard let training = candidates.first(where: isThere),
            isThere(folder.appending(path: "Final_Test/Images"))
        else { return nil }
        self.folder = folder
        trainingFolder = training
    }

    /// - Throws: `gtsrb-unreadable`.
    func training(_ count: Int, seed: UInt64) throws -> CleanImages {
        try Self.read(trainingFiles(), classes: classes(), count, seed: seed)
    }

    /// - Throws: `gtsrb-unreadable`.
    func test(_ count: Int, seed: UInt64) throws -> CleanImages {
        let images = folder.appending(path: "Final_Test/Images")
        let places = [folder, images, folder.deletingLastPathComponent()].map {
            $0.appending(path: "GT-final_test.csv")
        }
        guard let table = places.first(where: isThere) else {
            throw Self.unreadable("The test images' classes, GT-final_test.csv, are missing.", folder)
        }
        let classes = try classes()
        let files = try String(contentsOf: table, encoding: .utf8).split(whereSeparator: \.isNewline)
            .dropFirst()
            .map { line in
                let fields = line.split(separator: ";")
                guard fields.count == 8, let label = Int(fields[7]), classes.indices.contains(label),
                    !fields[0].contains("/")
                else { throw Self.unreadable("A line has no file and class: \(line)", table) }
                return (file: images.appending(path: String(fields[0])), label: label)
            }
        return try Self.read(files, classes: classes, count, seed: seed)
    }

    /// Five digits each, so that sorting keeps their order.
    private func classes() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: trainingFolder.path)
            .filter { $0.wholeMatch(of: /[0-9]{5}/) != nil }.sorted()
    }

    private func trainingFiles() throws -> [(file: URL, label: Int)] {
        try classes().enumerated().flatMap { label, name in
            let folder = trainingFolder.appending(path: name)
            return try FileManager.default.contentsOfDirectory(atPath: folder.path)
                .filter { $0.hasSuffix(".ppm") }.sorted().map { (folder.appending(path: $0), label) }
        }
    }

    private static func read(
        _ files: [(file: URL, label: Int)], classes: [String], _ count: Int, seed: UInt64
    ) throws -> CleanImages {
        var random = SplitMix64(seed: seed)
        let chosen = random.sample(min(count, files.count), outOf: files.count).sorted().map { files[$0] }
        let images = try chosen.map { try image(PortablePixmap(contentsOf: $0.file)) }
        return CleanImages(classes: classes, labels: chosen.map(\.label)) { images[$0] }
    }

    private static func image(_ map: PortablePixmap) -> ByteImage {
        func range(_ place: Int, _ size: Int) -> Range<Int> {
            let start = place * size / side
            return start..<max(start + 1, (place + 1) * size / side)
        }
        var pixels: [UInt8] = []
        for y in 0..<side {
            for x in 0..<side {
                let (rows, columns) = (range(y, map.height), range(x, map.width))
                for channel in 0..<3 {
                    var sum = 0
                    for row in rows {
                        for column in columns {
                            sum += Int(map.bytes[(row * map.width + column) * 3 + channel])
                        }
                    }
                    let area = rows.count * columns.count
                    pixels.append(UInt8((sum + area / 2) / area))
                }
            }
        }
        return ByteImage(height: side, width: side, channels: 3, pixels: pixels)
    }

    fileprivate static func unreadable(_ detail: String, _ file: URL) -> Problem {
        Problem(
            .unprocessable, code: "gtsrb-unreadable", title: "GTSRB's files can't be read", detail: detail,
            location: file.path)
    }
}

/// A binary PPM image (P6) of 8 bits a channel.
struct PortablePixmap {
    let height: Int
    let width: Int
    /// H x W x 3.
    let bytes: [UInt8]

    init(contentsOf file: URL) throws {
        guard let data = try? Data(contentsOf: file) else {
            throw GTSRBFiles.unreadable("The image is missing.", file)
        }
        let content = [UInt8](data)
        guard content.starts(with: Array("P6".utf8)) else {
            throw GTSRBFiles.unreadable("It is no binary PPM image.", file)
        }
        var place = 2
        var numbers: [Int] = []
        while numbers.count < 3, place < content.count {
            if content[place] == UInt8(ascii: "#") {
                while place < content.count, content[place] != UInt8(ascii: "\n") { place += 1 }
                continue
            }
            let digits = content[place...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            if let number = Int(String(decoding: digits.prefix(6), as: UTF8.self)) { numbers.append(number) }
            place += max(1, digits.count)
        }
        // One white-space byte ends the header.
        guard numbers.count == 3, numbers[2] == 255, (1...10_000).contains(numbers[0]),
            (1...10_000).contains(numbers[1]), content.count - place - 1 == numbers[0] * numbers[1] * 3
        else { throw GTSRBFiles.unreadable("Its size does not fit its header.", file) }
        width = numbers[0]
        height = numbers[1]
        bytes = Array(content[(place + 1)...])
    }
}
