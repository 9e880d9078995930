import Dispatch
import Foundation

/// Some encoded images and, once decoded, their pixels: the unit of work between the thread that reads an
/// archive and the workers that decode.
///
/// Sound as `@unchecked Sendable`: between `start` and the end of `wait` only the workers touch it, each the
/// pixels and failures of its own indices; before and after, only the reading thread.
final class DecodeBatch: @unchecked Sendable {
    struct Item {
        var name: String
        var className: String
        var format: ImageFormat
        /// In `encoded`.
        var bytes: Range<Int>
    }

    static let maximumImages = 512
    private static let encodedBytes = 8 << 20
    private static let pixelBytes = 32 << 20

    let geometry: ImageGeometry
    private let maximumSide: Int
    private let capacity: Int
    private let pixels: UnsafeMutableRawBufferPointer
    private let failures: UnsafeMutableBufferPointer<ImageFailure?>
    private let group = DispatchGroup()
    var encoded: [UInt8] = []
    private(set) var items: [Item] = []

    init(geometry: ImageGeometry, maximumSide: Int) {
        self.geometry = geometry
        self.maximumSide = maximumSide
        capacity = max(1, min(Self.maximumImages, Self.pixelBytes / geometry.bytes))
        pixels = .allocate(byteCount: capacity * geometry.bytes, alignment: 64)
        failures = .allocate(capacity: capacity)
        failures.initialize(repeating: nil)
    }

    deinit {
        group.wait()
        pixels.deallocate()
        failures.deinitialize()
        failures.deallocate()
    }

    var isFull: Bool { items.count == capacity || encoded.count >= Self.encodedBytes }

    func add(_ item: Item) { items.append(item) }

    func removeAll() {
        items.removeAll(keepingCapacity: true)
        // One huge entry must not hold its memory for good.
        encoded.removeAll(keepingCapacity: encoded.count <= 2 * Self.encodedBytes)
        for index in 0..<capacity { failures[index] = nil }
    }

    /// - Parameter workers: serial queues, each with a thread of its own: they make progress even when every
    ///   thread of the global pools is blocked.
    func start(on workers: [DispatchQueue]) {
        for (number, worker) in workers.enumerated() where number < items.count {
            worker.async(group: group) {
                for index in stride(from: number, to: self.items.count, by: workers.count) {
                    self.decode(index)
                }
            }
        }
    }

    func wait() { group.wait() }

    /// The pixels of one decoded image, or why there are none.
    func result(_ index: Int) -> Result<UnsafeRawBufferPointer, ImageFailure> {
        if let failure = failures[index] { return .failure(failure) }
        return .success(UnsafeRawBufferPointer(slot(index)))
    }

    private func slot(_ index: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: pixels[index * geometry.bytes..<(index + 1) * geometry.bytes])
    }

    private func decode(_ index: Int) {
        let item = items[index]
        encoded.withUnsafeBytes { bytes in
            do throws(ImageFailure) {
                try ImageDecoder.decode(
                    UnsafeRawBufferPointer(rebasing: bytes[item.bytes]), format: item.format,
                    maximumSide: maximumSide, expected: geometry, into: slot(index))
            } catch {
                failures[index] = error
            }
        }
    }
}
