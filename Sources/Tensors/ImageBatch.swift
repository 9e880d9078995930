import CTorch

extension Tensor {
    /// Images by index out of a packed set, as a float32 (N, C, H, W) batch in channels_last memory:
    /// (byte * scale - mean[c]) / std[c]. One parallel pass, nothing in between.
    ///
    /// `images` are `count` x H x W x C bytes; sizes and indices are checked against it. `mean` and `std` have
    /// one entry per channel, or one for all.
    public static func images(
        _ images: UnsafeRawBufferPointer, count: Int, height: Int, width: Int, channels: Int,
        indices: [Int], scale: Float = 1 / 255, mean: [Float] = [0], std: [Float] = [1]
    ) throws -> Tensor {
        guard let mean = perChannel(mean, channels), let std = perChannel(std, channels) else {
            throw TensorError(
                .invalidArgument, operatorName: "images",
                message: "mean and std need one entry, or one per channel (\(channels))")
        }
        let chosen = indices.map(Int64.init)
        return try make("images") { result in
            ct_gather_images(
                images.baseAddress?.assumingMemoryBound(to: UInt8.self), images.count, Int64(count),
                Int64(height), Int64(width), Int64(channels), chosen, chosen.count, scale, mean, std, result)
        }
    }

    private static func perChannel(_ values: [Float], _ channels: Int) -> [Float]? {
        guard channels > 0, channels <= 1024 else { return nil }
        if values.count == channels { return values }
        return values.count == 1 ? [Float](repeating: values[0], count: channels) : nil
    }

    /// Shifts and mirrors every image of a float32 (N, C, H, W) batch; the result is channels_last.
    ///
    /// Image n takes its pixel (y, x) from (y + dy[n], x + dx[n]) of the old one, then is mirrored left to right
    /// where `flip[n]`. What comes from outside is zero, or with `reflect` mirrored at the edge.
    public func shifted(dy: [Int32], dx: [Int32], flip: [Bool], reflect: Bool = false) throws -> Tensor {
        guard dy.count == dx.count, dy.count == flip.count else {
            throw TensorError(
                .invalidArgument, operatorName: "shifted",
                message: "dy, dx and flip must have one entry per image")
        }
        let mirrored = flip.map { UInt8($0 ? 1 : 0) }
        return try Tensor.make("shifted") { result in
            ct_shift_and_flip(handle, dy, dx, mirrored, dy.count, reflect, result)
        }
    }

    /// The usual augmentation of small images: random crop after padding by `padding` pixels (zero or
    /// reflected), then a horizontal flip with probability 1/2. Repeatable for a given `random`.
    public func randomlyCroppedAndFlipped<Random: RandomNumberGenerator>(
        padding: Int = 4, flip: Bool = true, reflect: Bool = false, using random: inout Random
    ) throws -> Tensor {
        guard rank == 4, padding >= 0, padding < shape[2], padding < shape[3] else {
            throw TensorError(
                .invalidArgument, operatorName: "crop",
                message: "padding \(padding) does not fit a batch of shape \(shape)")
        }
        var dy: [Int32] = []
        var dx: [Int32] = []
        var mirrored: [Bool] = []
        let limit = Int32(clamping: padding)
        for _ in 0..<shape[0] {
            dy.append(Int32.random(in: -limit...limit, using: &random))
            dx.append(Int32.random(in: -limit...limit, using: &random))
            mirrored.append(flip && Bool.random(using: &random))
        }
        return try shifted(dy: dy, dx: dx, flip: mirrored, reflect: reflect)
    }
}
