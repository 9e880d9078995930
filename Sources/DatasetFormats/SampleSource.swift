import Findings
import ImageCodecs

/// One labelled image as a source gives it; its bytes were appended to the buffer.
struct SourceSample {
    enum Content {
        case encoded(ImageFormat)
        case raw(RawPixels)
        /// Its name promises an image, and its bytes are none: why.
        case damaged(String)
    }

    /// The entry's path, or its place such as `data_batch_1[17]`.
    var name: String
    /// The folder's name, or the label's number with leading zeros, so that both sort as their numbers do.
    var className: String
    var content: Content
}

/// Gives labelled images one after the other, in memory that does not depend on their number.
protocol SampleSource: AnyObject {
    /// Such as `image-folder/tar.gz`.
    var formatName: String { get }
    var bytesRead: Int { get }
    var bytesTotal: Int? { get }
    /// Images in all, where that is known beforehand.
    var expectedCount: Int? { get }
    var report: SourceReport { get }

    /// Appends the content of the next image to `bytes`; nil at the end.
    /// - Throws: `Problem` that names the entry at fault.
    func next(into bytes: inout [UInt8]) throws -> SourceSample?

    /// Classes that have no image, where the options allow them; known at the end.
    var emptyClasses: [String] { get }

    /// Whether classes are folders: their names may look like numbers and be none.
    var foldersAreClasses: Bool { get }

    /// What can be said only at the end, such as a class without images.
    func check() throws
}

extension SampleSource {
    var foldersAreClasses: Bool { false }
    var emptyClasses: [String] { [] }
}

/// What a source tells beside its samples.
struct SourceReport {
    var entries = 0
    var skipped: [(name: String, reason: String)] = []
    var skippedTotal = 0
    /// Class names as people know them, by the names that the samples have.
    var classNames: [String: String] = [:]
    /// What was skipped, by kind and reason.
    private(set) var ignored: [SetReading.Ignored] = []

    private static let kept = 100
    private static let keptKinds = 50
    private static let keptExamples = 3

    mutating func skip(_ name: String, _ reason: String) {
        skippedTotal += 1
        if skipped.count < Self.kept { skipped.append((name, reason)) }
        count(.init(kind: Self.kind(of: name), reason: reason, count: 1, examples: [name]))
    }

    /// What another source skipped, which this one read from.
    mutating func add(_ other: SourceReport) {
        skippedTotal += other.skippedTotal
        skipped += other.skipped.prefix(max(0, Self.kept - skipped.count))
        other.ignored.forEach { count($0) }
    }

    private mutating func count(_ item: SetReading.Ignored) {
        var item = item
        if ignored.count >= Self.keptKinds { (item.kind, item.reason) = ("other files", "of many kinds") }
        if let known = ignored.firstIndex(where: { $0.kind == item.kind && $0.reason == item.reason }) {
            ignored[known].count += item.count
            let room = Self.keptExamples - ignored[known].examples.count
            if room > 0 { ignored[known].examples += item.examples.prefix(room) }
        } else {
            ignored.append(item)
        }
    }

    /// An extension, or the name of a file without one.
    private static func kind(of name: String) -> String {
        let last = name.split(separator: "/").last ?? ""
        guard let dot = last.lastIndex(of: "."), dot > last.startIndex,
            last.distance(from: dot, to: last.endIndex) <= 10
        else { return String(last) }
        return last[dot...].lowercased()
    }
}

/// Pixels that are not compressed.
struct RawPixels: Hashable {
    enum Element: Hashable {
        /// Bytes as they are.
        case uint8
        /// 0 to 65,535, little-endian or big-endian; scaled to 0 to 255.
        case uint16(bigEndian: Bool)
        /// 0 to 1, little-endian; scaled to 0 to 255.
        case float32
        case float64

        var byteCount: Int {
            switch self {
            case .uint8: 1
            case .uint16: 2
            case .float32: 4
            case .float64: 8
            }
        }
    }

    var element: Element
    var geometry: ImageGeometry
    /// Channel after channel, not pixel after pixel.
    var isPlanar: Bool

    var byteCount: Int { geometry.bytes * element.byteCount }

    /// - Parameter target: H x W x C bytes.
    /// - Throws: `ImageFailure.unsupported` for numbers outside their range.
    func unpack(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer)
        throws(ImageFailure)
    {
        if element == .uint8, !isPlanar || geometry.channels == 1 {
            target.copyMemory(from: bytes)
            return
        }
        let area = geometry.height * geometry.width
        for pixel in 0..<area {
            for channel in 0..<geometry.channels {
                let source = isPlanar ? channel * area + pixel : pixel * geometry.channels + channel
                target[pixel * geometry.channels + channel] = try value(bytes, source)
            }
        }
    }

    private func value(_ bytes: UnsafeRawBufferPointer, _ index: Int) throws(ImageFailure) -> UInt8 {
        switch element {
        case .uint8: return bytes[index]
        case .uint16(let bigEndian):
            let raw = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
            return UInt8((Int(bigEndian ? raw.byteSwapped : raw) + 128) / 257)
        case .float32:
            return try Self.scaled(Double(bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)))
        case .float64: return try Self.scaled(bytes.loadUnaligned(fromByteOffset: 8 * index, as: Double.self))
        }
    }

    private static func scaled(_ value: Double) throws(ImageFailure) -> UInt8 {
        guard value >= 0, value <= 1 else {
            throw .unsupported("it has the value \(value), and numbers with a point are taken from 0 to 1")
        }
        return UInt8((value * 255).rounded())
    }
}
