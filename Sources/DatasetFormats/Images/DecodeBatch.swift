import Dispatch
import Foundation
import ImageCodecs
import WorkerProtocol

/// Some encoded images and, once decoded, their pixels: the unit of work between the thread that reads an
/// archive and the workers that decode.
///
/// Sound as `@unchecked Sendable`: between `start` and the end of `wait` only the workers touch it, each the
/// pixels, traits and failures of its own indices; before and after, only the reading thread.
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
    private let limits: ImportLimits
    private let memory: DecodeMemory
    private let transform: PixelGeometry
    private let capacity: Int
    private let pixels: UnsafeMutableRawBufferPointer
    private let failures: UnsafeMutableBufferPointer<ImageFailure?>
    private let found: UnsafeMutableBufferPointer<ImageTraits>
    private let group = DispatchGroup()
    var encoded: [UInt8] = []
    private(set) var items: [Item] = []

    init(geometry: ImageGeometry, limits: ImportLimits, memory: DecodeMemory, transform: PixelGeometry) {
        self.geometry = geometry
        self.transform = transform
        self.limits = limits
        self.memory = memory
        capacity = max(1, min(Self.maximumImages, Self.pixelBytes / geometry.bytes))
        pixels = .allocate(byteCount: capacity * geometry.bytes, alignment: 64)
        failures = .allocate(capacity: capacity)
        failures.initialize(repeating: nil)
        found = .allocate(capacity: capacity)
        found.initialize(repeating: [])
    }

    deinit {
        group.wait()
        pixels.deallocate()
        failures.deinitialize()
        failures.deallocate()
        found.deallocate()
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

    /// Of one decoded image.
    func traits(_ index: Int) -> ImageTraits { found[index] }

    private func slot(_ index: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: pixels[index * geometry.bytes..<(index + 1) * geometry.bytes])
    }

    private func decode(_ index: Int) {
        let item = items[index]
        encoded.withUnsafeBytes { bytes in
            do throws(ImageFailure) {
                found[index] = try decode(
                    UnsafeRawBufferPointer(rebasing: bytes[item.bytes]), item.content, into: slot(index))
            } catch {
                failures[index] = error
            }
        }
    }

    private func decode(
        _ bytes: UnsafeRawBufferPointer, _ content: SourceSample.Content,
        into target: UnsafeMutableRawBufferPointer
    ) throws(ImageFailure) -> ImageTraits {
        switch content {
        case .encoded(let format): try decode(bytes, format, into: target)
        case .raw(let pixels): try unpack(bytes, pixels, into: target)
        case .damaged(let reason): throw .damaged(reason)
        }
    }

    private func decode(
        _ bytes: UnsafeRawBufferPointer, _ format: ImageFormat, into target: UnsafeMutableRawBufferPointer
    ) throws(ImageFailure) -> ImageTraits {
        let dropsAlpha = transform.options.alpha == .drop
        let written = format.orientation(of: bytes)
        let isTurned = transform.options.orientation == .upright || format.isLoadedUpright
        let orientation = isTurned ? written : ImageOrientation.upright
        let isNamed = written != ImageOrientation.upright && !format.isLoadedUpright
        let turned: ImageTraits = isNamed ? .turned : []
        if transform.isIdentity, orientation == ImageOrientation.upright {
            return try format.decode(
                bytes, maximumSide: limits.maximumSide, dropsAlpha: dropsAlpha, expected: geometry,
                into: target
            ).union(turned)
        }
        var stored = try format.geometry(
            of: bytes, maximumSide: limits.maximumSide, maximumBytes: limits.maximumImageMemory)
        guard stored.channels <= geometry.channels else { throw .colour }
        stored.channels = geometry.channels
        let upright = ImageOrientation.geometry(stored, orientation)
        try requireSize(upright)
        let reduction = transform.reduction(upright, format.reductions)
        // Beside the pixels a decoder keeps about as many bytes again, or coefficients of two bytes each: those of the whole
        // image, where it is decoded at a part of its size. The scaled one stands beside them before it is cropped.
        let coefficients = reduction > 1 ? stored.bytes * 2 : 0
        let needed =
            stored.reduced(by: reduction).bytes * 4 + coefficients + transform.resized(upright).bytes
        memory.take(needed)
        defer { memory.giveBack(needed) }
        return try decodeWhole(
            bytes, format, stored, reduction: reduction, orientation: orientation, dropsAlpha: dropsAlpha,
            into: target
        ).union(turned)
    }

    private func decodeWhole(
        _ bytes: UnsafeRawBufferPointer, _ format: ImageFormat, _ stored: ImageGeometry, reduction: Int,
        orientation: Int, dropsAlpha: Bool, into target: UnsafeMutableRawBufferPointer
    ) throws(ImageFailure) -> ImageTraits {
        let size = stored.reduced(by: reduction)
        var whole = UnsafeMutableRawBufferPointer.allocate(byteCount: size.bytes, alignment: 16)
        defer { whole.deallocate() }
        let traits = try format.decode(
            bytes, maximumSide: limits.maximumSide, dropsAlpha: dropsAlpha, reduction: reduction,
            expected: stored, into: whole)
        if orientation != ImageOrientation.upright {
            let result = UnsafeMutableRawBufferPointer.allocate(byteCount: size.bytes, alignment: 16)
            ImageOrientation.apply(orientation, UnsafeRawBufferPointer(whole), size, into: result)
            whole.deallocate()
            whole = result
        }
        transform.apply(
            UnsafeRawBufferPointer(whole), ImageOrientation.geometry(stored, orientation),
            reduction: reduction, orientation: orientation, into: target)
        return traits
    }

    private func unpack(
        _ bytes: UnsafeRawBufferPointer, _ pixels: RawPixels, into target: UnsafeMutableRawBufferPointer
    ) throws(ImageFailure) -> ImageTraits {
        guard pixels.geometry.channels <= geometry.channels else { throw .colour }
        try requireSize(pixels.geometry)
        if transform.isIdentity, pixels.geometry == geometry {
            try pixels.unpack(bytes, into: target)
            return []
        }
        let whole = UnsafeMutableRawBufferPointer.allocate(byteCount: pixels.geometry.bytes, alignment: 16)
        defer { whole.deallocate() }
        try pixels.unpack(bytes, into: whole)
        transform.apply(UnsafeRawBufferPointer(whole), pixels.geometry, into: target)
        return []
    }

    /// Whether an image has the packed ones' size in the end.
    private func requireSize(_ found: ImageGeometry) throws(ImageFailure) {
        try transform.requireRoom(found, limits.maximumImageMemory)
        let result = transform.result(found)
        guard result.height == geometry.height, result.width == geometry.width else {
            throw .otherSize(found)
        }
    }
}
