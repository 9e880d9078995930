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
        var content: SourceSample.Content
        /// In `encoded`.
        var bytes: Range<Int>
    }

    static let maximumImages = 512
    private static let encodedBytes = 8 << 20
    private static let pixelBytes = 32 << 20

    /// Of the packed images.
    let geometry: ImageGeometry
    private let maximumSide: Int
    private let transform: PixelGeometry
    private let capacity: Int
    private let pixels: UnsafeMutableRawBufferPointer
    private let failures: UnsafeMutableBufferPointer<ImageFailure?>
    private let group = DispatchGroup()
    var encoded: [UInt8] = []
    private(set) var items: [Item] = []

    init(geometry: ImageGeometry, maximumSide: Int, transform: PixelGeometry) {
        self.geometry = geometry
        self.transform = transform
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
                try decode(
                    UnsafeRawBufferPointer(rebasing: bytes[item.bytes]), item.content, into: slot(index))
            } catch {
                failures[index] = error
            }
        }
    }

    private func decode(
        _ bytes: UnsafeRawBufferPointer, _ content: SourceSample.Content,
        into target: UnsafeMutableRawBufferPointer
    ) throws(ImageFailure) {
        let alpha = transform.options.alpha
        if case .encoded(let format) = content, transform.isIdentity {
            return try ImageDecoder.decode(
                bytes, format: format, maximumSide: maximumSide, alpha: alpha, expected: geometry,
                into: target)
        }
        var found: ImageGeometry
        switch content {
        case .encoded(let format):
            found = try ImageDecoder.geometry(of: bytes, format: format, maximumSide: maximumSide)
        case .raw(let pixels): found = pixels.geometry
        }
        guard found.channels <= geometry.channels else { throw .colour }
        if case .encoded = content { found.channels = geometry.channels }
        let result = transform.result(found)
        guard result.height == geometry.height, result.width == geometry.width else {
            throw .otherSize(found)
        }
        if transform.isIdentity, case .raw(let pixels) = content, found == geometry {
            return try pixels.unpack(bytes, into: target)
        }
        let whole = UnsafeMutableRawBufferPointer.allocate(byteCount: found.bytes, alignment: 16)
        defer { whole.deallocate() }
        switch content {
        case .encoded(let format):
            try ImageDecoder.decode(
                bytes, format: format, maximumSide: maximumSide, alpha: alpha, expected: found, into: whole)
        case .raw(let pixels): try pixels.unpack(bytes, into: whole)
        }
        transform.apply(UnsafeRawBufferPointer(whole), found, into: target)
    }
}
