import Findings
import PackedDataset

/// Takes the images of a data set, one after the other.
public protocol SampleSink {
    /// - Parameter name: unique in the set, without folder and extension.
    func add(_ image: ByteImage, className: String, name: String) throws
}

/// A packed data set in the making.
public final class PackedSink: SampleSink {
    private let directory: String
    private var writer: PackedDatasetWriter?

    public init(directory: String) { self.directory = directory }

    public func add(_ image: ByteImage, className: String, name: String) throws {
        let writer =
            try writer
            ?? PackedDatasetWriter(
                directory: directory, height: image.height, width: image.width, channels: image.channels)
        self.writer = writer
        try image.pixels.withUnsafeBytes {
            try writer.append($0, className: className, name: "\(className)/\(name).png")
        }
    }

    public func finish() throws {
        _ = try writer?.finish(format: "packed")
    }
}
