import Findings

@testable import DatasetFormats

/// Single images through libpng and libjpeg-turbo.
enum Images {
    @Sendable static func decode(_ input: Input) {
        var input = input
        let choice = input.byte()
        let bytes = input.bytes
        guard let format = ImageFormat(head: bytes) else { return }
        bytes.withUnsafeBytes { bytes in
            guard
                let found = attempt({ () throws(ImageFailure) in
                    try ImageDecoder.geometry(of: bytes, format: format, maximumSide: 128)
                })
            else { return }
            require(found.height <= 128 && found.width <= 128, "\(found) is over the limit")
            require(found.height > 0 && found.width > 0, "\(found) is empty")
            var expected = found
            if choice & 1 == 1 { expected.channels = 3 }
            // Exactly as large as needed: a byte too many is seen by the sanitizer.
            let pixels = UnsafeMutableRawBufferPointer.allocate(byteCount: expected.bytes, alignment: 1)
            defer { pixels.deallocate() }
            _ = attempt { () throws(ImageFailure) in
                try ImageDecoder.decode(
                    bytes, format: format, maximumSide: 128, alpha: choice & 2 == 2 ? .drop : .refuse,
                    expected: expected, into: pixels)
            }
        }
    }

    private static func attempt<Value>(_ body: () throws(ImageFailure) -> Value) -> Value? {
        do { return try body() } catch {
            switch error {
            case .damaged(let text), .unsupported(let text):
                require(!text.isEmpty, "a failure without a reason")
            case .noMemory: finding("memory ran out")
            case .tooLarge, .otherSize, .colour, .transparent: break
            }
            return nil
        }
    }
}
