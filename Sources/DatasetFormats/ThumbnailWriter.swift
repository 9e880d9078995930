import Dispatch
import Foundation
import ImageCodecs
import PackedDataset
import Support
import Synchronization

/// Writes a small picture of every image of a packed data set: see `SliceFile.thumbnails`.
public enum ThumbnailWriter {
    /// Pictures that are in memory at a time.
    private static let batch = 512

    /// Blocks; encodes on all processors. Memory does not depend on the number of images.
    /// - Parameters:
    ///   - directory: where the pictures go, usually the data set's own folder.
    ///   - isCancelled: asked before every batch.
    /// - Throws: `Problem` `cancelled`, `disk-full`.
    public static func write(
        of set: PackedDataset, to directory: String, isCancelled: () -> Bool = { false }
    ) throws {
        let writer = try SliceWriter(.thumbnails, in: directory)
        let from = ImageGeometry(height: set.height, width: set.width, channels: set.channels)
        let to = size(of: from)
        let resample = from == to ? nil : Resample(from: from, to: to)
        for start in stride(from: 0, to: set.count, by: batch) {
            if isCancelled() {
                throw Problem(
                    .cancelled, code: "cancelled", title: "The work was cancelled",
                    detail: "\(start) of \(set.count) thumbnails were made.")
            }
            let count = min(batch, set.count - start)
            let made = Mutex([Result<Data, any Error>?](repeating: nil, count: count))
            DispatchQueue.concurrentPerform(iterations: count) { place in
                let picture = Result { try Self.picture(start + place, of: set, resample, to) }
                made.withLock { $0[place] = picture }
            }
            for picture in made.withLock({ $0 }) {
                if let picture { try writer.append(picture.get()) }
            }
            set.advise(.notNeeded, samples: start..<start + count)
        }
        try writer.finish()
    }

    /// Of the same shape, with no side above the limit, and none below one pixel.
    private static func size(of image: ImageGeometry) -> ImageGeometry {
        let longest = max(image.height, image.width)
        guard longest > SliceFile.thumbnailSide else { return image }
        func scaled(_ side: Int) -> Int {
            max(1, (side * SliceFile.thumbnailSide + longest / 2) / longest)
        }
        return ImageGeometry(
            height: scaled(image.height), width: scaled(image.width), channels: image.channels)
    }

    private static func picture(
        _ sample: Int, of set: PackedDataset, _ resample: Resample?, _ size: ImageGeometry
    ) throws -> Data {
        try set.withImage(at: sample) { pixels in
            guard let resample else {
                return try JPEGEncoder.encode(
                    pixels, height: size.height, width: size.width, channels: size.channels)
            }
            let small = UnsafeMutableRawBufferPointer.allocate(byteCount: size.bytes, alignment: 16)
            defer { small.deallocate() }
            resample.apply(pixels, into: small)
            return try JPEGEncoder.encode(
                UnsafeRawBufferPointer(small), height: size.height, width: size.width, channels: size.channels
            )
        }
    }
}
