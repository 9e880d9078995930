/// The footer: schema, row groups, and Hugging Face's description of the columns.
extension ParquetGenerator {
    mutating func footer(_ columns: [Column]) -> [UInt8] {
        var footer = ThriftWriter()
        let schema = schema()
        footer.int32(1, 1)
        footer.list(2, type: 12, count: choices.number(Int64(schema.count))) { list in
            for element in schema { list.element(element) }
        }
        footer.int64(3, choices.number(4))
        let chunks = columns.map { chunk($0) }
        let (stated, size, rows) = (choices.number(2), choices.number(400), choices.number(4))
        footer.list(4, type: 12, count: choices.number(1)) { groups in
            groups.element { group in
                group.list(1, type: 12, count: stated) { list in
                    for chunk in chunks { list.element(chunk) }
                }
                group.int64(2, size)
                group.int64(3, rows)
            }
        }
        let sizes = [choices.number(3), choices.number(3)]
        let info = """
            {"info":{"features":{"image":{"_type":"Array2D","shape":[\(sizes[0]),\(sizes[1])]},
            "label":{"_type":"ClassLabel","names":["a","b"]}}}}
            """
        footer.list(5, type: 12, count: 1) { list in
            list.element {
                $0.text(1, "huggingface")
                $0.text(2, info)
            }
        }
        return footer.bytes + [0]
    }

    private typealias Body = (inout ThriftWriter) -> Void

    private mutating func schema() -> [Body] {
        let children = choices.number(2)
        let label = leaf("label", type: 2, converted: nil)
        let root: Body = {
            $0.text(4, "schema")
            $0.int32(5, children)
        }
        guard isList else { return [root, leaf("image", type: 6, converted: nil), label] }
        let (inner, outer) = (choices.number(1), choices.number(1))
        return [
            root,
            {
                $0.int32(3, 0)
                $0.text(4, "image")
                $0.int32(5, outer)
                $0.int32(6, 3)
            },
            {
                $0.int32(3, 2)
                $0.text(4, "list")
                $0.int32(5, inner)
            },
            leaf("element", type: 1, converted: 11), label,
        ]
    }

    /// - Parameter converted: 11 for a byte in 32 bits.
    private mutating func leaf(_ name: String, type: Int64, converted: Int64?) -> Body {
        let isOdd = choices.rarely(8)
        let number = isOdd ? choices.number(type) : type
        let (length, scale, precision) =
            isOdd ? (choices.number(0), choices.number(0), choices.number(9)) : (0, 0, 9)
        let kind = isOdd && converted == nil ? 5 : converted
        return {
            $0.int32(1, number)
            if isOdd { $0.int32(2, length) }
            $0.int32(3, 0)
            $0.text(4, name)
            if let kind { $0.int32(6, kind) }
            if isOdd {
                $0.int32(7, scale)
                $0.int32(8, precision)
            }
        }
    }

    private mutating func chunk(_ column: Column) -> Body {
        let (count, offset) = (choices.number(column.count), choices.number(column.start))
        let before = column.start - (column.dictionary ?? column.start)
        let (whole, length) = (
            choices.number(column.length + before), choices.number(column.length + before)
        )
        let dictionary = column.dictionary.map { choices.number($0) }
        let codec = choices.rarely(16) ? choices.number(1) : 0
        return { chunk in
            chunk.int64(2, offset)
            chunk.message(3) { data in
                data.int32(1, column.type)
                data.list(2, type: 5, count: 2) { list in
                    list.element(3)
                    list.element(column.encoding)
                }
                data.list(3, type: 8, count: Int64(column.path.count)) { list in
                    for part in column.path { list.element(Array(part.utf8)) }
                }
                data.int32(4, codec)
                data.int64(5, count)
                data.int64(6, whole)
                data.int64(7, length)
                data.int64(9, offset)
                if let dictionary { data.int64(11, dictionary) }
            }
        }
    }
}
