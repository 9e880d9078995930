import Support
import WorkerProtocol

// bounded in this file: places in bytes that are held in memory, sizes by `ImportLimits`.

/// Bytes that come one after the other.
protocol RecordStream: AnyObject {
    var bytesRead: Int { get }
    var bytesTotal: Int? { get }
    /// Appends `count` bytes; fewer at the end.
    func read(into bytes: inout [UInt8], count: Int) throws
}

/// Images as the rows of one array, and their labels.
final class ArraySource: SampleSource {
    let formatName: String
    private let name: String
    private let pixels: RawPixels
    private let labels: [Int]
    private let stream: any RecordStream
    private let limits: ImportLimits
    private var index = 0
    private(set) var report = SourceReport()

    var bytesRead: Int { stream.bytesRead }
    var bytesTotal: Int? { stream.bytesTotal }
    var expectedCount: Int? { labels.count }

    /// - Parameter name: the array's, for the samples' names.
    init(
        formatName: String, name: String, pixels: RawPixels, labels: [Int], classNames: [String] = [],
        stream: any RecordStream, limits: ImportLimits
    ) throws {
        if let wrong = labels.first(where: { !(0..<limits.maximumClasses).contains($0) }) {
            let place = labels.firstIndex(of: wrong) ?? 0
            throw Labels.invalid(Labels.outside(wrong, limits.maximumClasses), "\(name)[\(place)]")
        }
        self.formatName = formatName
        self.name = name
        self.pixels = pixels
        self.labels = labels
        self.stream = stream
        self.limits = limits
        report.classNames = ClassNames.numbered(classNames)
        report.entries = labels.count
    }

    func next(into bytes: inout [UInt8]) throws -> SourceSample? {
        guard index < labels.count else { return nil }
        let place = "\(name)[\(index)]"
        let start = bytes.count
        try stream.read(into: &bytes, count: pixels.byteCount)
        guard bytes.count - start == pixels.byteCount else {
            throw Problem(
                .malformed, code: "array-cut", title: "An array is cut short",
                detail: "It ends in image \(index) of \(labels.count).", location: place,
                fix: "Compare the file's size and checksum with the original's.")
        }
        defer { index += 1 }
        return SourceSample(name: place, className: ClassNames.key(labels[index]), content: .raw(pixels))
    }

    func check() throws {}
}

/// The shape of an array of images.
enum ImageArray {
    /// - Parameters:
    ///   - shape: N x H x W, N x H x W x C or N x C x H x W with 1 or 3 channels.
    /// - Throws: `array-shape-unsupported`, `image-too-large`.
    static func pixels(_ shape: [Int], _ element: RawPixels.Element, name: String, limits: ImportLimits)
        throws
        -> RawPixels
    {
        var pixels: RawPixels
        switch shape.count {
        case 3:
            pixels = RawPixels(
                element: element, geometry: .init(height: shape[1], width: shape[2], channels: 1),
                isPlanar: false)
        case 4 where shape[3] == 1 || shape[3] == 3:
            pixels = RawPixels(
                element: element, geometry: .init(height: shape[1], width: shape[2], channels: shape[3]),
                isPlanar: false)
        case 4 where shape[1] == 1 || shape[1] == 3:
            pixels = RawPixels(
                element: element, geometry: .init(height: shape[2], width: shape[3], channels: shape[1]),
                isPlanar: true)
        default:
            throw Problem(
                .unprocessable, code: "array-shape-unsupported", title: "An array does not hold images",
                detail: "Its shape is (\(shape.prefix(8).map(String.init).joined(separator: ", "))).",
                location: name,
                fix:
                    "Save them as (N, height, width), (N, height, width, channels) or (N, channels, height, width), "
                    + "with 1 or 3 channels.")
        }
        let geometry = pixels.geometry
        guard geometry.height > 0, geometry.width > 0, geometry.height <= limits.maximumSide,
            geometry.width <= limits.maximumSide
        else {
            throw Problem(
                .tooLarge, code: "image-too-large", title: "An image is too large",
                detail: "The images are \(geometry.shown) pixels; a side has 1 to \(limits.maximumSide).",
                location: name, fix: "Scale the images to the model's input size.")
        }
        guard geometry.bytes <= limits.maximumImageMemory else {
            throw Problem(
                .tooLarge, code: "image-too-large", title: "An image is too large",
                detail:
                    "The images are \(geometry.shown) pixels, which take \(geometry.bytes) bytes each; an image "
                    + "may take \(limits.maximumImageMemory).",
                location: name, fix: "Scale the images to the model's input size.")
        }
        return pixels
    }

    static func element(_ type: String, name: String) throws -> RawPixels.Element {
        switch type {
        case "|u1", "u1", "<u1", ">u1": .uint8
        case "<u2", "u2": .uint16(bigEndian: false)
        case ">u2": .uint16(bigEndian: true)
        case "<f4", "f4": .float32
        case "<f8", "f8": .float64
        default:
            throw Problem(
                .unprocessable, code: "array-type-unsupported",
                title: "An array's element type is not supported",
                detail: "The images have elements of the type \(type.prefix(20)).", location: name,
                fix: "Save them as uint8 (0 to 255), uint16, or float32 from 0 to 1.")
        }
    }

    /// Whole numbers of a NumPy type, little-endian or big-endian; data frames write them as floats at times.
    static func labels(_ bytes: ArraySlice<UInt8>, _ type: String, count: Int, name: String) throws -> [Int] {
        let widths = [
            "u1": 1, "i1": 1, "u2": 2, "i2": 2, "u4": 4, "i4": 4, "u8": 8, "i8": 8, "b1": 1, "f4": 4, "f8": 8,
        ]
        let kind = String(type.drop { "<>|=".contains($0) })
        guard let width = widths[kind] else {
            throw Labels.invalid(
                "They have elements of the type \(type.prefix(20)), not whole numbers.", name,
                fix: Labels.fixOfArray)
        }
        let (needed, overflow) = count.multipliedReportingOverflow(by: width)
        guard !overflow, needed <= bytes.count else {
            throw Labels.invalid(
                "The array of labels is cut short.", name,
                fix: "Compare the file's size and checksum with the original's, or write it again.")
        }
        let bigEndian = type.hasPrefix(">")
        return try (0..<count).map { index in
            let start = bytes.startIndex + index * width
            let digits = bytes[start..<start + width]
            var value: UInt64 = 0
            if bigEndian {
                for byte in digits { value = value << 8 | UInt64(byte) }
            } else {
                for byte in digits.reversed() { value = value << 8 | UInt64(byte) }
            }
            if kind.hasPrefix("f") {
                let number = width == 4 ? Double(Float(bitPattern: UInt32(value))) : Double(bitPattern: value)
                guard let label = Labels.number(number) else {
                    throw Labels.invalid(
                        "The label \(number) is no whole number.", "\(name)[\(index)]",
                        fix: Labels.fixOfArray)
                }
                return label
            }
            if kind.hasPrefix("i"), width < 8, value >> UInt64(8 * width - 1) == 1 { return -1 }
            return Int(truncatingIfNeeded: value)
        }
    }
}

/// The rest of an entry of an archive.
final class EntryRecords: RecordStream {
    private let source: any EntrySource

    var bytesRead: Int { source.bytesRead }
    var bytesTotal: Int? { source.bytesTotal }

    init(_ source: any EntrySource) { self.source = source }

    func read(into bytes: inout [UInt8], count: Int) throws { try source.read(into: &bytes, limit: count) }
}

/// Bytes in memory.
final class MemoryRecords: RecordStream {
    private let content: [UInt8]
    private var position: Int

    var bytesRead: Int { position }
    var bytesTotal: Int? { content.count }

    init(_ content: [UInt8], from start: Int = 0) {
        self.content = content
        position = start
    }

    func read(into bytes: inout [UInt8], count: Int) throws {
        let end = min(content.count, position + count)
        bytes += content[position..<end]
        position = end
    }
}
