import ZipFixtures

/// Zip and tar archives of models and of images, with hostile numbers in their headers.
struct ArchiveGenerator {
    private var choices: Choices

    /// Zip and tar archives, of which the first hold models and the others images.
    static let kinds = 7
    static let models = 3

    static func archive(_ input: Input) -> (bytes: [UInt8], kind: Int) {
        var generator = ArchiveGenerator(choices: Choices(input))
        let kind = generator.choices.below(kinds)
        switch kind {
        case 0: return (generator.zip(generator.exported()), kind)
        case 1: return (generator.zip(generator.model()), kind)
        case 2: return (generator.tar(generator.model()), kind)
        case 3, 5: return (generator.zip(generator.images(inFolders: kind == 3)), kind)
        default: return (generator.tar(generator.images(inFolders: kind == 4)), kind)
        }
    }

    private init(choices: Choices) { self.choices = choices }

    private typealias File = (name: String, content: [UInt8])

    private static let image = RawPNG(
        width: 4, height: 4, colourType: 0, rows: (0..<4).map { [UInt8](repeating: UInt8($0), count: 4) })

    /// The entries of a small `.pt2`, seldom with sample inputs.
    private mutating func exported() -> [File] {
        guard choices.rarely() else { return Self.exported }
        let samples = TableGenerator.checkpoint(&choices)
        return Self.exported.map { ($0.name, $0.name.hasSuffix("model.pt") ? samples : $0.content) }
    }

    private static let exported: [File] = {
        var files: [File] = []
        var model = TinyModel()
        model.changeEntries = {
            files = $0.map { (String(decoding: $0.central.name, as: UTF8.self), $0.data) }
        }
        _ = model.build()
        return files
    }()

    /// An ONNX model, and the file with its kernel.
    private mutating func model() -> [File] {
        let model = ONNXGenerator.model(&choices, isExternal: true)
        return [("model.onnx", model), ("model.onnx.data", [UInt8](repeating: 0, count: 432))]
    }

    private func images(inFolders: Bool) -> [File] {
        let image = Self.image.bytes
        return inFolders
            ? [("a/1.png", image), ("b/2.png", image)]
            : [("1.png", image), ("1.cls", [0x30]), ("2.png", image), ("2.cls", [0x31])]
    }

    // MARK: Zip

    private mutating func zip(_ files: [File]) -> [UInt8] {
        var builder = ZipBuilder(files.map { .init($0.name, $0.content) })
        for index in builder.entries.indices {
            if choices.rarely() {
                builder.entries[index].useDescriptor(signature: choices.rarely(2), wide: choices.rarely(2))
            }
            if choices.rarely() { lie(&builder.entries[index].central) }
            if choices.rarely() { lie(&builder.entries[index].local) }
        }
        let usesZip64 = choices.rarely()
        return builder.build { end in
            end.usesZip64 = usesZip64
            end.entries = UInt64(bitPattern: choices.number(Int64(end.entries)))
            end.entriesHere =
                choices.rarely() ? UInt64(bitPattern: choices.number(Int64(end.entriesHere))) : end.entries
            end.size = UInt64(bitPattern: choices.number(Int64(end.size)))
            end.offset = UInt64(bitPattern: choices.number(Int64(end.offset)))
            end.zip64Offset = UInt64(bitPattern: choices.number(Int64(end.zip64Offset)))
            end.zip64Length = UInt64(bitPattern: choices.number(Int64(end.zip64Length)))
        }
    }

    private mutating func lie(_ header: inout ZipBuilder.Header) {
        switch choices.below(6) {
        case 0: header.size = UInt32(truncatingIfNeeded: choices.number(Int64(header.size)))
        case 1:
            header.compressedSize = UInt32(truncatingIfNeeded: choices.number(Int64(header.compressedSize)))
        case 2: header.offset = UInt32(truncatingIfNeeded: choices.number(0))
        case 3: header.flags = UInt16(truncatingIfNeeded: choices.number(0))
        case 4:
            let sizes = [header.size, header.compressedSize].flatMap { bytes(choices.number(Int64($0))) }
            (header.size, header.compressedSize) = (.max, .max)
            header.extra = bytes(UInt16(1)) + bytes(UInt16(truncatingIfNeeded: choices.number(16))) + sizes
        default:
            header.extra =
                bytes(UInt16(truncatingIfNeeded: choices.number(0x7075))) + bytes(UInt16(6)) + [
                    1, 0, 0, 0, 0, 0x61,
                ]
        }
    }

    // MARK: Tar

    private mutating func tar(_ files: [File]) -> [UInt8] {
        var file: [UInt8] = []
        for (name, content) in files {
            if choices.rarely() { file += extended() }
            file += entry(name, content, kind: choices.rarely(8) ? UInt8(choices.below(256)) : 0x30)
        }
        return file + [UInt8](repeating: 0, count: 1_024)
    }

    private mutating func extended() -> [UInt8] {
        let value = choices.one(of: ["size", "path", "GNU.sparse.size", "mtime", "hdrcharset"])
        let body = " \(value)=\(choices.number(8))\n"
        let length = choices.number(Int64(body.utf8.count + 2))
        let record = Array("\(length)\(body)".utf8)
        return entry("long", record, kind: choices.one(of: [0x78, 0x67, 0x4C, 0x4B]))
    }

    private mutating func entry(_ name: String, _ content: [UInt8], kind: UInt8) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: [UInt8], _ place: Int) {
            header.replaceSubrange(place..<place + bytes.count, with: bytes)
        }
        put(Array(name.utf8), 0)
        put(Array("0000644\0".utf8), 100)
        put(number(Int64(content.count), width: 12), 124)
        put(number(0, width: 12), 136)
        header[156] = kind
        put(Array((choices.rarely() ? "ustar  \0" : "ustar\u{0}00").utf8), 257)
        let sum = header.reduce(0) { $0 + Int($1) } + 8 * 0x20
        put(number(Int64(sum), width: 8), 148)
        if choices.rarely(8) {
            // A sum that is written in base 256: of the digits only the first byte is another.
            header[148] = 0x80
        }
        let padding = [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
        return header + content + padding
    }

    /// In octal digits, or in base 256 where they do not suffice.
    private mutating func number(_ usual: Int64, width: Int) -> [UInt8] {
        let value = choices.number(usual)
        let digits = String(max(0, value), radix: 8)
        if value >= 0, digits.utf8.count < width, !choices.rarely(8) {
            return Array(String(repeating: "0", count: width - 1 - digits.utf8.count).utf8)
                + Array(digits.utf8) + [0]
        }
        var field =
            [UInt8](repeating: value < 0 ? 0xFF : 0, count: max(0, width - 8)) + bytes(value.bigEndian)
        if width > 8 { field[0] = value < 0 ? 0xFF : 0x80 }
        return field
    }
}
