import ZipFixtures

/// Data set archives, each with two good images and one thing that is wrong.
enum HostileDatasets {
    static let image = RawPNG(
        width: 4, height: 2, colourType: 2, rows: [[UInt8](0..<12), [UInt8](12..<24)]
    ).bytes

    private static func zip(
        _ name: String, _ codes: String..., change: @escaping @Sendable (inout ZipBuilder) -> Void
    ) -> HostileUpload {
        var upload = HostileUpload(name, .datasets) {
            var builder = ZipBuilder([.init("cat/1.png", image), .init("dog/1.png", image)])
            change(&builder)
            return builder.build()
        }
        upload.codes = codes
        return upload
    }

    private static func tar(
        _ name: String, _ codes: String..., change: @escaping @Sendable (inout TinyTar) -> Void
    ) -> HostileUpload {
        var upload = HostileUpload(name, .datasets) {
            var archive = TinyTar(entries: [.init("cat/1.png", image), .init("dog/1.png", image)])
            change(&archive)
            return archive.bytes
        }
        upload.codes = codes
        return upload
    }

    /// One more image.
    private static func image(
        _ name: String, _ codes: String..., as file: String = "cat/2.png",
        _ bytes: @escaping @Sendable () -> [UInt8]
    ) -> HostileUpload {
        var upload = tar(name) { $0.entries.append(.init(file, bytes())) }
        upload.codes = codes
        return upload
    }

    static let zips: [HostileUpload] = [
        zip("path traversal", "zip-entry-name") { $0.entries.append(.init("cat/../../x.png", image)) },
        zip("absolute path", "zip-entry-name") { $0.entries.append(.init("/etc/x.png", image)) },
        zip("control bytes in a name", "zip-entry-name") {
            $0.entries.append(.init("cat/\u{7}\u{1b}]0;x\u{7}.png", image))
        },
        zip("backslashes in a name", "zip-entry-name") { $0.entries.append(.init("..\\x.png", image)) },
        zip("duplicate entries", "zip-duplicate-entry") { $0.entries.append($0.entries[0]) },
        zip("symbolic link", "zip-link") {
            $0.entries.append(.init("cat/2.png", "/etc/passwd"))
            $0.entries[2].central.attributes = 0xA1FF_0000
        },
        zip("overlapping entries", "zip-entry") { $0.entries[1].central.offset = 0 },
        zip("encrypted entry", "zip-encrypted") { $0.entries[0].both { $0.flags |= 1 } },
        zip("unknown compression", "zip-compression-method") { $0.entries[0].both { $0.method = 12 } },
        zip("two headers that differ", "zip-entry") { $0.entries[0].local.size += 1 },
        zip("zip64 size without bound", "zip-entry", "zip-limit") {
            $0.entries[0].both {
                $0.size = .max
                $0.compressedSize = .max
                $0.extra = bytes(UInt16(1)) + bytes(UInt16(16)) + bytes(Int64.max) + bytes(Int64.max)
            }
        },
        zip("bomb in an entry", "image-format-unsupported") {
            let bomb = Bomb.deflate(copies: 1_000_000)
            var entry = ZipBuilder.Entry("cat/2.png", bomb)
            entry.both {
                $0.method = 8
                $0.size = 258_000_001
            }
            $0.entries.append(entry)
        },
        zip("archive in the archive", "image-format-unsupported") {
            $0.entries.append(.init("cat/2.png", ZipBuilder([.init("cat/1.png", image)]).build()))
        },
    ]

    static let tars: [HostileUpload] = [
        tar("path traversal in tar", "entry-name-unsafe") {
            $0.entries.append(.init("cat/../../../x.png", image))
        },
        tar("absolute path in tar", "entry-name-unsafe") { $0.entries.append(.init("/etc/x.png", image)) },
        tar("control bytes in a tar name", "entry-name-invalid") {
            $0.entries.append(.init("cat/\u{1b}[2J.png", image))
        },
        tar("tar name that is no UTF-8", "entry-name-invalid") {
            $0.entries.append(.init("x", image))
            $0.entries[2].name = Array("cat/".utf8) + [0xFF, 0xC0, 0x80]
        },
        tar("symbolic link in tar", "entry-not-a-file") {
            $0.entries.append(.init("cat/2.png"))
            $0.entries[2].type = "2"
            $0.entries[2].link = "/etc/passwd"
        },
        tar("hard link in tar", "entry-not-a-file") {
            $0.entries.append(.init("cat/2.png"))
            $0.entries[2].type = "1"
            $0.entries[2].link = "cat/1.png"
        },
        tar("device in tar", "entry-not-a-file") {
            $0.entries.append(.init("cat/2.png"))
            $0.entries[2].type = "4"
        },
        tar("size beyond the archive", "archive-expands-too-far") {
            $0.entries.append(.init("cat/2.png", image))
            $0.entries[2].size = "77777777777"
        },
        tar("size that is no number", "image-format-unsupported", "archive-damaged") {
            $0.entries.append(.init("cat/2.png", image))
            $0.entries[2].size = "-----------"
        },
        tar("checksum that does not fit", "archive-damaged") { $0.entries[1].breaksChecksum = true },
        tar("duplicate in tar", "duplicate-entry") { $0.entries.append($0.entries[0]) },
        HostileUpload("gzip bomb", .datasets, "dataset-empty") {
            Bomb.gzip(copies: 2_000_000)
        },
        HostileUpload(
            "gzip that ends in its header", .datasets, "archive-damaged", "dataset-format-unsupported"
        ) {
            [0x1F, 0x8B, 8, 0x1C, 0, 0, 0, 0, 0, 3]
        },
        HostileUpload("xz of zeros", .datasets, "archive-damaged", "dataset-format-unsupported") {
            [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0] + [UInt8](repeating: 0, count: 300)
        },
        HostileUpload(
            "zstd with an endless window", .datasets, "archive-damaged", "dataset-format-unsupported"
        ) {
            [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xFF] + [UInt8](repeating: 0xFF, count: 300)
        },
    ]

    private static func word(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    private static func png(
        width: UInt32, height: UInt32, depth: UInt8 = 8, type: UInt8 = 2, _ chunks: [(String, [UInt8])]
    ) -> [UInt8] {
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + RawPNG.chunk("IHDR", word(width) + word(height) + [depth, type, 0, 0, 0])
            + chunks.flatMap { RawPNG.chunk($0.0, $0.1) } + RawPNG.chunk("IEND", [])
    }

    /// A start of frame and what comes before it.
    private static func jpeg(width: Int, height: Int, components: Int, frame: UInt8 = 0xC0) -> [UInt8] {
        let count = UInt8(components)
        let planes = (1...count).flatMap { [$0, 0x11, 0] as [UInt8] }
        return [0xFF, 0xD8, 0xFF, frame, 0, 8 + 3 * count, 8]
            + [UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255), count] + planes
            + [0xFF, 0xDA, 0, 6 + 2 * count, count] + (1...count).flatMap { [$0, 0] } + [0, 63, 0]
            + [UInt8](repeating: 0x55, count: 200) + [0xFF, 0xD9]
    }

    static let images: [HostileUpload] = [
        image("PNG of 2^31 by 2^31 pixels", "image-too-large", "image-damaged") {
            png(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF, [("IDAT", [0x78, 1, 3, 0, 0, 0, 0, 1])])
        },
        image("PNG of 65535 by 65535 pixels", "image-too-large", "image-sizes-differ") {
            png(width: 65_535, height: 65_535, [("IDAT", [0x78, 1, 3, 0, 0, 0, 0, 1])])
        },
        image("PNG without pixels", "image-damaged") { png(width: 4, height: 2, []) },
        image("PNG of no size", "image-damaged") { png(width: 0, height: 0, [("IDAT", [0])]) },
        image("PNG of an impossible depth", "image-damaged") {
            png(width: 4, height: 2, depth: 7, [("IDAT", [0])])
        },
        image("PNG whose pixels are a bomb", "image-damaged") {
            png(width: 4, height: 2, [("IDAT", [0x78, 1] + Bomb.deflate(copies: 500_000))])
        },
        image("PNG whose text is a bomb", "image-damaged") {
            png(
                width: 4, height: 2,
                [("zTXt", Array("a".utf8) + [0, 0, 0x78, 1] + Bomb.deflate(copies: 500_000))])
        },
        image("PNG with a palette index outside", "image-damaged") {
            png(
                width: 4, height: 2, type: 3,
                [
                    ("PLTE", [1, 2, 3]),
                    ("IDAT", [0x78, 1, 1, 10, 0, 0xF5, 0xFF] + [UInt8](repeating: 9, count: 14)),
                ])
        },
        image("PNG cut short", "image-damaged") { Array(image.dropLast(25)) },
        image("PNG with a changed byte", "image-damaged") {
            var bytes = image
            bytes[bytes.count / 2] ^= 0x40
            return bytes
        },
        image("damaged CMYK JPEG", "image-damaged", as: "cat/2.jpg") {
            jpeg(width: 4, height: 2, components: 4)
        },
        image("JPEG of 60000 by 60000 pixels", "image-too-large", "image-sizes-differ", as: "cat/2.jpg") {
            jpeg(width: 60_000, height: 60_000, components: 3)
        },
        image("JPEG without tables", "image-damaged", as: "cat/2.jpg") {
            jpeg(width: 4, height: 2, components: 3)
        },
        image("lossless JPEG", "image-damaged", "image-format-unsupported", as: "cat/2.jpg") {
            jpeg(width: 4, height: 2, components: 3, frame: 0xC3)
        },
        image("script named png", "image-format-unsupported") { Array("#!/bin/sh\nid\n".utf8) },
        image("SVG named png", "image-format-unsupported") {
            Array("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".utf8)
        },
        image("nothing named png", "image-format-unsupported") { [] },
    ]

    static let others: [HostileUpload] = [
        HostileUpload("text", .datasets, "dataset-format-unknown") { Array("a,b\n1,2\n".utf8) },
        HostileUpload("a program", .datasets, "dataset-format-unknown") {
            [0x7F, 0x45, 0x4C, 0x46] + [UInt8](repeating: 1, count: 600)
        },
        HostileUpload("pickle", .datasets, "dataset-format-unknown") { [0x80, 4, 0x95, 1, 0, 0] },
    ]

    static let truncated: [HostileUpload] = (1..<8).map { part in
        HostileUpload("zip cut at \(part) / 8", .datasets, "zip-end-record") {
            let bytes = ZipBuilder([.init("cat/1.png", image), .init("dog/1.png", image)]).build()
            return Array(bytes[..<(bytes.count * part / 8)])
        }
    }

    static let all = zips + tars + images + others + truncated
}
