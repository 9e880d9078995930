import ZipFixtures

/// Parquet files of four rows: an image (a file's bytes, or a list of nine pixels) and a label, in every encoding that
/// writers use, with hostile numbers in the footer, the headers of pages and the pages themselves.
///
/// https://github.com/apache/parquet-format: README.md, Encodings.md, src/main/thrift/parquet.thrift.
struct ParquetGenerator {
    var choices: Choices
    let isList: Bool
    /// 0: plain; 1: dictionary for labels, lengths apart for images; 2: differences for labels, pages of version 2.
    private let form: Int
    private var file = Array("PAR1".utf8)

    struct Column {
        var path: [String]
        var type: Int64
        var encoding: Int64
        var count: Int64
        var dictionary: Int64?
        var start: Int64
        var length: Int64
    }

    static func file(_ choices: inout Choices, isList: Bool, form: Int) -> [UInt8] {
        var generator = ParquetGenerator(choices: choices, isList: isList, form: form)
        defer { choices = generator.choices }
        return generator.build()
    }

    private init(choices: Choices, isList: Bool, form: Int) {
        self.choices = choices
        self.isList = isList
        self.form = form
    }

    private static let image = RawPNG(
        width: 3, height: 3, colourType: 0, rows: (0..<3).map { [UInt8](repeating: UInt8($0), count: 3) })

    private mutating func build() -> [UInt8] {
        let columns = [isList ? pixels() : images(), labels()]
        let footer = footer(columns)
        let length = UInt32(truncatingIfNeeded: choices.number(Int64(footer.count)))
        return file + footer + bytes(length) + Array("PAR1".utf8)
    }

    // MARK: Columns

    private mutating func images() -> Column {
        let image = Self.image.bytes
        var content: [UInt8] = []
        if form == 1 {
            content = differences([Int64](repeating: Int64(image.count), count: 4))
        }
        for _ in 0..<4 {
            if form != 1 { content += bytes(UInt32(truncatingIfNeeded: choices.number(Int64(image.count)))) }
            content += image
        }
        return column(["image"], type: 6, encoding: form == 1 ? 6 : 0, count: 4, content)
    }

    /// Nine for each row: the first begins a list, and all are there.
    private mutating func pixels() -> Column {
        let repeats = packed((0..<36).map { $0 % 9 == 0 ? 0 : 1 })
        let defined = repeated(1, count: 36)
        let content = (0..<36).flatMap { bytes(Int32(truncatingIfNeeded: choices.number($0))) }
        return column(
            ["image", "list", "element"], type: 1, encoding: 0, count: 36, content, levels: (repeats, defined)
        )
    }

    private mutating func labels() -> Column {
        switch form {
        case 1:
            let start = Int64(file.count)
            let values = bytes(choices.number(0)) + bytes(choices.number(1))
            let count = choices.number(2)
            page(type: 2, values) { header, _ in
                header.message(7) {
                    $0.int32(1, count)
                    $0.int32(2, 0)
                }
            }
            let width = UInt8(truncatingIfNeeded: choices.number(1))
            let codes = [width] + packed([0, 1, choices.below(2), 1])
            var column = column(["label"], type: 2, encoding: 8, count: 4, codes)
            column.dictionary = start
            return column
        case 2: return column(["label"], type: 2, encoding: 5, count: 4, differences([0, 1, 0, 1]))
        default:
            let content = (0..<4).flatMap { bytes(choices.number($0 & 1)) }
            return column(["label"], type: 2, encoding: 0, count: 4, content)
        }
    }

    /// A page of values behind their levels.
    private mutating func column(
        _ path: [String], type: Int64, encoding: Int64, count: Int64, _ values: [UInt8],
        levels: (repeats: [UInt8], defined: [UInt8])? = nil
    ) -> Column {
        let start = Int64(file.count)
        let stated = choices.number(count)
        let written = choices.rarely(16) ? choices.number(encoding) : encoding
        let (repeats, defined) = levels ?? ([], [])
        if form == 2 {
            let numbers = [choices.number(0), choices.number(4), choices.number(Int64(defined.count))]
            let repeatLength = choices.number(Int64(repeats.count))
            page(type: 3, repeats + defined + values) { header, _ in
                header.message(8) {
                    $0.int32(1, stated)
                    $0.int32(2, numbers[0])
                    $0.int32(3, numbers[1])
                    $0.int32(4, written)
                    $0.int32(5, numbers[2])
                    $0.int32(6, repeatLength)
                }
            }
        } else {
            let before = [repeats, defined].filter { !$0.isEmpty }.flatMap { level in
                bytes(UInt32(truncatingIfNeeded: choices.number(Int64(level.count)))) + level
            }
            page(type: 0, before + values) { header, _ in
                header.message(5) {
                    $0.int32(1, stated)
                    $0.int32(2, written)
                    $0.int32(3, 3)
                    $0.int32(4, 3)
                }
            }
        }
        return Column(
            path: path, type: type, encoding: encoding, count: count, dictionary: nil, start: start,
            length: Int64(file.count) - start)
    }

    private mutating func page(type: Int64, _ content: [UInt8], _ body: (inout ThriftWriter, Int64) -> Void) {
        var header = ThriftWriter()
        header.int32(1, choices.rarely(16) ? choices.number(type) : type)
        header.int32(2, choices.number(Int64(content.count)))
        header.int32(3, choices.number(Int64(content.count)))
        body(&header, type)
        file += header.bytes + [0] + content
    }
}
