import CEmbeddedFiles
import Foundation

/// What every program of a release holds.
public enum EmbeddedRelease {
    /// The version of these sources: the file VERSION, the one place where it is written.
    public static let version = String(decoding: content(burn_embedded_version()), as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines)

    /// An untrained `.pt2` network for images of 3 x 32 x 32 and ten classes, to try the worker with.
    public static var smallNetwork: Data { Data(content(burn_embedded_small_network())) }

    /// It lasts as long as the process.
    private static func content(_ file: burn_embedded_file) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: file.bytes, count: file.size)
    }
}
