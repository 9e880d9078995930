import ImageCodecs
import Support
import WorkerProtocol

/// What can be wrong with an entry, in the words that the user reads.
enum ImportProblems {
    /// As it is called on the command line and over HTTP.
    static let skipDamagedOption = "--skip-damaged (skip_damaged=true)"
    static let emptyClassesOption = "--empty-classes (empty_classes=true)"

    /// A file whose name promises an image.
    static func notAnImage(_ name: String, _ reason: String) -> Problem {
        Problem(
            .unprocessable, code: "image-format-unsupported", title: "An image's format is not supported",
            detail: reason.prefix(1).uppercased() + reason.dropFirst() + ".", location: name,
            fix: "Replace the file, or leave it out; \(skipDamagedOption) imports the others.")
    }

    static func notAFile(_ entry: SourceEntry) -> Problem {
        let what =
            switch entry.kind {
            case .symbolicLink: "a symbolic link, and none that leads to a file or folder of the set itself"
            case .hardLink: "a hard link"
            default: "a device, a pipe or another special file"
            }
        return Problem(
            .unprocessable, code: "entry-not-a-file", title: "An entry is neither a file nor a folder",
            detail: "The entry is \(what).", location: entry.name,
            fix:
                "Put the files themselves there: cp -rL SET COPY; in a tar: tar --dereference --hard-dereference"
        )
    }

    static func encrypted(_ name: String) -> Problem {
        Problem(
            .unprocessable, code: "entry-encrypted", title: "An entry is encrypted",
            detail: "Encrypted archives cannot be read.", location: name, fix: "Pack it without a password.")
    }

    static func entryTooLarge(_ name: String, _ limit: Int) -> Problem {
        Problem(
            .tooLarge, code: "entry-too-large", title: "An image file is too large",
            detail: "It has more than \(limit) bytes.", location: name,
            fix:
                "Save it smaller, or as JPEG; the limit is limits.image_bytes of the service's configuration."
        )
    }

    static func tooMany(_ what: String, _ limit: Int, _ name: String) -> Problem {
        Problem(
            .tooLarge, code: "too-many-\(what)", title: "The data set has too many \(what)",
            detail: "There are more than \(limit).", location: name,
            fix: what == "entries"
                ? "Pack the images without the other files."
                : "Import a part of the set; the limit is limits.\(what) of the service's configuration.")
    }

    static func packedTooLarge(_ name: String, _ limit: Int) -> Problem {
        Problem(
            .tooLarge, code: "packed-too-large", title: "The data set's pixels are too many",
            detail: "Decoded, the images take more than \(limit) bytes.", location: name,
            fix: "Upload fewer or smaller images.")
    }

    /// - Parameter head: the first bytes.
    static func foreignImage(_ name: String, _ head: some Collection<UInt8>) -> Problem {
        let foreign = ForeignImageFormat(head: head)
        return Problem(
            .unprocessable, code: "image-format-unsupported", title: "An image's format is not supported",
            detail: foreign.map {
                "By its content the file is \($0.name), and only \(ImageFormat.names) are read."
            }
                ?? (head.isEmpty
                    ? "The file is empty." : "By its content the file is no \(ImageFormat.names) image."),
            location: name, fix: foreign?.fix ?? "Convert it to PNG, or leave it out.")
    }

    private static func tooLarge(_ found: ImageGeometry, _ limits: ImportLimits) -> String {
        let isLong = max(found.height, found.width) > limits.maximumSide
        return "It is \(found.shown) pixels"
            + (isLong
                ? "; a side may have \(limits.maximumSide)."
                : ", which take \(found.bytes) bytes; an image may take \(limits.maximumImageMemory).")
    }

    static func image(
        _ failure: ImageFailure, _ name: String, format: String,
        first: (name: String, geometry: ImageGeometry)?, limits: ImportLimits
    ) -> Problem {
        switch failure {
        case .damaged(let reason):
            return Problem(
                .unprocessable, code: "image-damaged", title: "An image is damaged",
                detail: "Decoding the \(format) failed: \(reason).", location: name,
                fix: "Replace the file, or leave it out; \(skipDamagedOption) imports the others.")
        case .unsupported(let reason):
            return Problem(
                .unprocessable, code: "image-format-unsupported", title: "An image's format is not supported",
                detail: "The \(format) cannot be used: \(reason).", location: name,
                fix: format == "array"
                    ? "Save the images as uint8 (0 to 255), or divide them by their greatest value."
                    : "Convert it to grey or RGB.")
        case .transparent:
            return Problem(
                .unprocessable, code: "image-format-unsupported", title: "An image's format is not supported",
                detail: "The \(format) cannot be used: it has transparent pixels.", location: name,
                fix: "Convert it to grey or RGB, or import with alpha=drop.")
        case .tooLarge(let found):
            return Problem(
                .tooLarge, code: "image-too-large", title: "An image is too large",
                detail: tooLarge(found, limits), location: name,
                fix:
                    "Scale it down, or raise limits.image_side or limits.image_memory in the service's configuration. "
                    + "resize=HxW says how large the images become, whatever they were.")
        case .scaledTooLarge(let scaled):
            return Problem(
                .tooLarge, code: "image-too-large", title: "An image would be scaled to too many pixels",
                detail:
                    "It would be \(scaled.shown) pixels; an image may take \(limits.maximumImageMemory) bytes.",
                location: name, fix: "Leave it out, crop it, or give both sides: resize=HxW.")
        case .otherSize(let found):
            let expected =
                first.map { "`\($0.name)` is \($0.geometry.shown)" } ?? "the first one has another size"
            return Problem(
                .unprocessable, code: "image-sizes-differ", title: "The images do not have one size",
                detail: "This image is \(found.shown) pixels; \(expected).", location: name,
                fix: "Scale all the images to the model's input size, or import with resize=HxW.")
        case .colour, .noMemory:
            return Problem(
                .internal, code: "image-decoding-failed", title: "An image could not be decoded",
                detail: "There was no memory for decoding it.", location: name)
        }
    }
}
