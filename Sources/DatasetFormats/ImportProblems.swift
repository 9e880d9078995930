import ImageCodecs
import Support

/// What can be wrong with an entry, in the words that the user reads.
enum ImportProblems {
    static func notAFile(_ entry: SourceEntry) -> Problem {
        let what =
            switch entry.kind {
            case .symbolicLink: "a symbolic link"
            case .hardLink: "a hard link"
            default: "a device, a pipe or another special file"
            }
        return Problem(
            .unprocessable, code: "entry-not-a-file", title: "An entry is neither a file nor a folder",
            detail: "The entry is \(what).", location: entry.name,
            fix: "Pack the files themselves: `tar --dereference --hard-dereference`.")
    }

    static func encrypted(_ name: String) -> Problem {
        Problem(
            .unprocessable, code: "entry-encrypted", title: "An entry is encrypted",
            detail: "Encrypted archives cannot be read.", location: name, fix: "Pack it without a password.")
    }

    static func entryTooLarge(_ name: String, _ limit: Int) -> Problem {
        Problem(
            .tooLarge, code: "entry-too-large", title: "An image file is too large",
            detail: "It has more than \(limit) bytes.", location: name)
    }

    static func tooMany(_ what: String, _ limit: Int, _ name: String) -> Problem {
        Problem(
            .tooLarge, code: "too-many-\(what)", title: "The data set has too many \(what)",
            detail: "There are more than \(limit).", location: name)
    }

    static func packedTooLarge(_ name: String, _ limit: Int) -> Problem {
        Problem(
            .tooLarge, code: "packed-too-large", title: "The data set's pixels are too many",
            detail: "Decoded, the images take more than \(limit) bytes.", location: name,
            fix: "Upload fewer or smaller images.")
    }

    static func foreignImage(_ name: String) -> Problem {
        Problem(
            .unprocessable, code: "image-format-unsupported", title: "An image's format is not supported",
            detail: "By its content the file is no \(ImageFormat.names) image.", location: name,
            fix: "Convert it to PNG, or leave it out.")
    }

    static func image(
        _ failure: ImageFailure, _ name: String, format: String,
        first: (name: String, geometry: ImageGeometry)?, maximumSide: Int
    ) -> Problem {
        switch failure {
        case .damaged(let reason):
            return Problem(
                .unprocessable, code: "image-damaged", title: "An image is damaged",
                detail: "Decoding the \(format) failed: \(reason).", location: name,
                fix: "Replace the file, or leave it out.")
        case .unsupported(let reason):
            return Problem(
                .unprocessable, code: "image-format-unsupported", title: "An image's format is not supported",
                detail: "The \(format) cannot be used: \(reason).", location: name,
                fix: format == "array" ? nil : "Convert it to grey or RGB.")
        case .transparent:
            return Problem(
                .unprocessable, code: "image-format-unsupported", title: "An image's format is not supported",
                detail: "The \(format) cannot be used: it has transparent pixels.", location: name,
                fix: "Convert it to grey or RGB, or import with alpha=drop.")
        case .tooLarge(let found):
            return Problem(
                .tooLarge, code: "image-too-large", title: "An image is too large",
                detail: "It is \(found.shown) pixels; a side may have \(maximumSide).", location: name,
                fix: "Scale the images to the model's input size.")
        case .otherSize(let found):
            let expected =
                first.map { "`\($0.name)` is \($0.geometry.shown)" } ?? "the first one has another size"
            return Problem(
                .unprocessable, code: "image-sizes-differ", title: "The images do not have one size",
                detail: "This image is \(found.shown) pixels; \(expected).", location: name,
                fix: "Scale all the images to the model's input size, or import with resize and crop.")
        case .colour, .noMemory:
            return Problem(
                .internal, code: "image-decoding-failed", title: "An image could not be decoded",
                detail: "There was no memory for decoding it.", location: name)
        }
    }
}
