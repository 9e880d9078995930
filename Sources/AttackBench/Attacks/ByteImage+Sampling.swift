extension ByteImage {
    func offset(y: Int, x: Int) -> Int { (y * width + x) * channels }

    mutating func setPixel(y: Int, x: Int, to values: [Double]) {
        let start = offset(y: y, x: x)
        for channel in 0..<channels { pixels[start + channel] = Self.byte(values[channel]) }
    }

    /// The pixel at a place between pixels; places outside are moved to the border.
    func bilinear(y: Double, x: Double) -> [Double] {
        let y = min(max(y, 0), Double(height - 1))
        let x = min(max(x, 0), Double(width - 1))
        let (top, left) = (Int(y), Int(x))
        let (bottom, right) = (min(top + 1, height - 1), min(left + 1, width - 1))
        let (down, across) = (y - Double(top), x - Double(left))
        return (0..<channels).map { channel in
            func value(_ row: Int, _ column: Int) -> Double {
                Double(pixels[offset(y: row, x: column) + channel])
            }
            let upper = value(top, left) * (1 - across) + value(top, right) * across
            let lower = value(bottom, left) * (1 - across) + value(bottom, right) * across
            return upper * (1 - down) + lower * down
        }
    }

    /// Clipped to 0...255 and rounded half to even.
    static func byte(_ value: Double) -> UInt8 {
        UInt8(min(255, max(0, value)).rounded(.toNearestOrEven))
    }
}
