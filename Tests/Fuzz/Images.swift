import Findings
import ImageCodecs

@testable import DatasetFormats

/// Single images of all formats, also at a part of their size, and their orientation.
enum Images {
    @Sendable static func decode(_ input: Input) {
        var input = input
        let choice = input.byte()
        decode(input.bytes, as: choice)
    }

    /// - Parameter choice: bit 0: in colours; bit 1: without the alpha channel; bits 2 and 3: by what its sides are divided,
    ///   where the format can do that.
    /// - Returns: whether it was taken.
    @discardableResult
    static func decode(_ bytes: [UInt8], as choice: Int) -> Bool {
        guard let format = ImageFormat(head: bytes) else { return false }
        return bytes.withUnsafeBytes { bytes in
            let orientation = format.orientation(of: bytes)
            require((1...8).contains(orientation), "an orientation of \(orientation)")
            guard
                let found = attempt({ () throws(ImageFailure) in
                    try format.geometry(of: bytes, maximumSide: 128)
                })
            else { return false }
            require(found.height <= 128 && found.width <= 128, "\(found) is over the limit")
            require(found.height > 0 && found.width > 0, "\(found) is empty")
            var expected = found
            if choice & 1 == 1 { expected.channels = 3 }
            let divisor = 1 << (choice >> 2 & 3)
            let reduction = format.reductions.contains(divisor) ? divisor : 1
            // Exactly as large as needed: a byte too many is seen by the sanitizer.
            let pixels = UnsafeMutableRawBufferPointer.allocate(
                byteCount: expected.reduced(by: reduction).bytes, alignment: 1)
            defer { pixels.deallocate() }
            let traits = attempt { () throws(ImageFailure) in
                try format.decode(
                    bytes, maximumSide: 128, dropsAlpha: choice & 2 == 2, reduction: reduction,
                    expected: expected, into: pixels)
            }
            return traits != nil
        }
    }

    private static func attempt<Value>(_ body: () throws(ImageFailure) -> Value) -> Value? {
        do { return try body() } catch {
            switch error {
            case .damaged(let text), .unsupported(let text):
                require(!text.isEmpty, "a failure without a reason")
            case .noMemory: finding("memory ran out")
            case .tooLarge, .scaledTooLarge, .otherSize, .colour, .transparent: break
            }
            return nil
        }
    }
}
