import Findings
import ImageCodecs
import Support

/// Scales and crops 8-bit images as torchvision's transforms do with PIL images: `Resize` (bilinear,
/// antialiased) and then `CenterCrop`.
struct PixelGeometry {
    let options: ImportOptions

    var isIdentity: Bool { options.resize == nil && options.crop == nil }

    /// Height and width after the resizing.
    func resized(_ image: ImageGeometry) -> ImageGeometry {
        var result = image
        switch options.resize {
        case nil: break
        case .exactly(let size): (result.height, result.width) = (size.height, size.width)
        case .shorterSide(let side):
            // torchvision truncates the longer side.
            if image.width <= image.height {
                (result.width, result.height) = (side, max(1, side * image.height / image.width))
            } else {
                (result.height, result.width) = (side, max(1, side * image.width / image.height))
            }
        }
        return result
    }

    /// Height and width after all.
    func result(_ image: ImageGeometry) -> ImageGeometry {
        var result = resized(image)
        if let crop = options.crop { (result.height, result.width) = (crop.height, crop.width) }
        return result
    }

    /// Before anything of the scaled image's size is made: one side may be scaled as far as the other is.
    ///
    /// - Throws: `.scaledTooLarge`.
    func requireRoom(_ image: ImageGeometry, _ maximumBytes: Int) throws(ImageFailure) {
        let scaled = resized(image)
        guard let bytes = Checked.product([scaled.height, scaled.width, scaled.channels]),
            bytes <= maximumBytes
        else { throw .scaledTooLarge(scaled) }
    }

    /// How far a decoder may shrink an image that is scaled down further: three times the result's size stay, of which
    /// the scaling makes hardly anything else than of the whole.
    func reduction(_ image: ImageGeometry, _ possible: [Int]) -> Int {
        let scaled = resized(image)
        return possible.filter { divisor in
            image.height >= Self.kept * divisor * scaled.height
                && image.width >= Self.kept * divisor * scaled.width
        }.max() ?? 1
    }

    private static let kept = 3

    /// - Parameters:
    ///   - pixels: of an image of `geometry`, its sides divided by `reduction`, H x W x C.
    ///   - orientation: by which they were turned after that.
    ///   - target: has the bytes of `result(geometry)`.
    func apply(
        _ pixels: UnsafeRawBufferPointer, _ geometry: ImageGeometry, reduction: Int = 1,
        orientation: Int = ImageOrientation.upright,
        into target: UnsafeMutableRawBufferPointer
    ) {
        let scaled = resized(geometry)
        if scaled == geometry {
            return Self.crop(pixels, geometry, result(geometry), into: target)
        }
        let resample = Resample(
            from: geometry, reduction: reduction, orientation: orientation, to: scaled)
        if options.crop == nil { return resample.apply(pixels, into: target) }
        let whole = UnsafeMutableRawBufferPointer.allocate(byteCount: scaled.bytes, alignment: 16)
        defer { whole.deallocate() }
        resample.apply(pixels, into: whole)
        Self.crop(UnsafeRawBufferPointer(whole), scaled, result(geometry), into: target)
    }

    /// What lies outside the image is black.
    private static func crop(
        _ pixels: UnsafeRawBufferPointer, _ image: ImageGeometry, _ result: ImageGeometry,
        into target: UnsafeMutableRawBufferPointer
    ) {
        let top = offset(image.height, result.height)
        let left = offset(image.width, result.width)
        let channels = image.channels
        if top < 0 || left < 0 { target.initializeMemory(as: UInt8.self, repeating: 0) }
        let columns = max(0, left)..<min(image.width, left + result.width)
        for row in max(0, top)..<min(image.height, top + result.height) {
            let source = (row * image.width + columns.lowerBound) * channels
            let place = ((row - top) * result.width + columns.lowerBound - left) * channels
            let count = columns.count * channels
            UnsafeMutableRawBufferPointer(rebasing: target[place..<place + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: pixels[source..<source + count]))
        }
    }

    /// Where the crop begins; negative for what is padded before. torchvision pads first (the smaller half in
    /// front) and rounds halves to even.
    private static func offset(_ size: Int, _ cropped: Int) -> Int {
        if cropped > size { return -((cropped - size) / 2) }
        let half = (size - cropped) / 2
        return (size - cropped) % 2 == 0 ? half : half + half % 2
    }
}

/// PIL's bilinear resampling of 8-bit images (Pillow, Resample.c): two passes in fixed point, each output the
/// weighted mean of the inputs under a triangle that widens when the image shrinks.
struct Resample {
    private struct Axis {
        /// First input and coefficients of each output.
        var starts: [Int] = []
        var coefficients: [[Int32]] = []

        /// - Parameters:
        ///   - span: what is covered of the inputs, which may end within the last one, or begin within the first.
        ///   - isReversed: it begins within the first.
        init(from size: Int, span: Double, isReversed: Bool, to result: Int) {
            let origin = isReversed ? Double(size) - span : 0
            let scale = span / Double(result)
            let spread = max(scale, 1)
            for index in 0..<result {
                let center = origin + (Double(index) + 0.5) * scale
                let first = max(0, Int(center - spread + 0.5))
                let end = min(size, Int(center + spread + 0.5))
                let weights = (first..<end).map {
                    max(0, 1 - abs((Double($0) - center + 0.5) / spread))
                }
                let sum = weights.reduce(0, +)
                starts.append(first)
                coefficients.append(
                    weights.map { Int32(0.5 + (sum == 0 ? $0 : $0 / sum) * Double(1 << Resample.precision)) })
            }
        }
    }

    private static let precision = 22

    private let from: ImageGeometry
    private let to: ImageGeometry
    private let columns: Axis
    private let rows: Axis

    /// - Parameters:
    ///   - reduction: by what the sides of `whole` are divided, rounded up, in the pixels at hand.
    ///   - orientation: by which these were turned: the part of a pixel that is over may lie in front.
    init(
        from whole: ImageGeometry, reduction: Int = 1, orientation: Int = ImageOrientation.upright,
        to: ImageGeometry
    ) {
        from = whole.reduced(by: reduction)
        self.to = to
        let divisor = Double(reduction)
        columns = Axis(
            from: from.width, span: Double(whole.width) / divisor,
            isReversed: [2, 3, 6, 7].contains(orientation),
            to: to.width)
        rows = Axis(
            from: from.height, span: Double(whole.height) / divisor,
            isReversed: [3, 4, 7, 8].contains(orientation),
            to: to.height)
    }

    func apply(_ pixels: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
        let channels = from.channels
        let stride = to.width * channels
        // Each pass runs only where it changes something, as in PIL.
        if from.width == to.width {
            return vertical(pixels, stride, into: target)
        }
        let needsRows = from.height != to.height
        let between =
            needsRows
            ? UnsafeMutableRawBufferPointer.allocate(byteCount: from.height * stride, alignment: 16) : target
        defer { if needsRows { between.deallocate() } }
        for y in 0..<from.height {
            let line = y * from.width * channels
            for x in 0..<to.width {
                let start = line + columns.starts[x] * channels
                for channel in 0..<channels {
                    var sum = Int32(1) << (Self.precision - 1)
                    var source = start + channel
                    for coefficient in columns.coefficients[x] {
                        sum &+= Int32(pixels[source]) &* coefficient
                        source += channels
                    }
                    between[y * stride + x * channels + channel] = Self.clip(sum)
                }
            }
        }
        if needsRows { vertical(UnsafeRawBufferPointer(between), stride, into: target) }
    }

    private func vertical(
        _ pixels: UnsafeRawBufferPointer, _ stride: Int, into target: UnsafeMutableRawBufferPointer
    ) {
        for y in 0..<to.height {
            let start = rows.starts[y] * stride
            for x in 0..<stride {
                var sum = Int32(1) << (Self.precision - 1)
                var source = start + x
                for coefficient in rows.coefficients[y] {
                    sum &+= Int32(pixels[source]) &* coefficient
                    source += stride
                }
                target[y * stride + x] = Self.clip(sum)
            }
        }
    }

    private static func clip(_ sum: Int32) -> UInt8 { UInt8(clamping: sum >> precision) }
}
