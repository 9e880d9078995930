import Support

extension OutputNames {
    public static let maximumBytes = 4 << 20

    private static let numberColumns: Set<String> = [
        "classid", "class_id", "id", "index", "idx", "label", "target", "output", "class_index", "class_idx",
        "label_id",
    ]
    private static let nameColumns: Set<String> = [
        "name", "class", "classname", "class_name", "label_name", "folder", "description",
    ]

    /// Reads a file of a class order: JSON, a table with a column for the number and one for the name, lines with
    /// the number in front, lines of a synset and its words, or a name a line.
    public init(file bytes: [UInt8]) throws(OutputNamesFault) {
        guard bytes.count <= Self.maximumBytes else {
            throw OutputNamesFault("It has \(bytes.count) bytes; at most \(Self.maximumBytes) are read.", "")
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            throw OutputNamesFault("It is not UTF-8.", "")
        }
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        if let first = text.first(where: { !$0.isWhitespace }), first == "[" || first == "{" {
            let document: JSONValue
            do { document = try StrictJSON.parse(Array(text.utf8)) } catch {
                throw OutputNamesFault(error.description, "")
            }
            try self.init(json: document)
            return
        }
        try self.init(text: text)
    }

    /// The table of the numbers and names of classes in `text`; nil where its first line names no such columns.
    public init?(table text: String) throws(OutputNamesFault) {
        self.init()
        let first = text.prefix { !$0.isNewline }
        let separator: Unicode.Scalar = first.contains("\t") ? "\t" : first.contains(",") ? "," : ";"
        var reader = CSVReader(text, separator: separator)
        let header = (reader.next() ?? []).map { $0.trimmingSpace().lowercased() }
        guard header.count > 1, let number = header.firstIndex(where: Self.numberColumns.contains),
            let name = header.firstIndex(where: Self.nameColumns.contains)
        else { return nil }
        while let row = reader.next() {
            if row == [""] { continue }
            let place = "line \(reader.line)"
            guard row.count == header.count else {
                throw OutputNamesFault("It has \(row.count) fields; the header has \(header.count).", place)
            }
            guard let output = Int(row[number].trimmingSpace()) else {
                throw OutputNamesFault("\"\(row[number].prefix(80))\" is no number of an output.", place)
            }
            try add([row[name]], output: output, place: place)
        }
        if reader.isCut { throw OutputNamesFault("A quoted field does not end.", "line \(reader.line)") }
        guard !names.isEmpty else { throw OutputNamesFault("There are no classes.", "") }
    }

    private init(text: String) throws(OutputNamesFault) {
        if let table = try OutputNames(table: text) {
            self = table
            return
        }
        self.init()
        var lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.map { $0.trimmingSpace() }
        while lines.last == "" { lines.removeLast() }
        guard !lines.isEmpty else { throw OutputNamesFault("There are no classes.", "") }
        // A line that is left out would move all the classes after it.
        if let empty = lines.firstIndex(of: "") {
            throw OutputNamesFault("The line is empty.", "line \(empty + 1)")
        }
        let parts = lines.map(Self.parts)
        let numbers = parts.compactMap { $0.rest.isEmpty ? nil : Int($0.first) }
        let areNumbered = numbers.count == lines.count && Self.count(numbers)
        let areSynsets = parts.allSatisfy { !$0.rest.isEmpty && Self.isSynset($0.first) }
        var seen: Set<String> = []
        for (index, line) in lines.enumerated() {
            let place = "line \(index + 1)"
            if areNumbered {
                try add([parts[index].rest], output: numbers[index], place: place)
            } else if areSynsets {
                try add([parts[index].first, parts[index].rest], output: index, place: place)
            } else {
                guard seen.insert(line).inserted else {
                    throw OutputNamesFault("\"\(line.prefix(80))\" is there twice.", place)
                }
                try add([line], output: index, place: place)
            }
        }
    }

    /// Whether these are the numbers of a list, in any order, from 0 or from 1 on.
    private static func count(_ numbers: [Int]) -> Bool {
        let sorted = numbers.sorted()
        return sorted == Array(0..<sorted.count) || sorted == Array(1..<sorted.count + 1)
    }

    /// A line's first word, and what follows it.
    private static func parts(_ line: String) -> (first: String, rest: String) {
        guard let end = line.firstIndex(where: { $0.isWhitespace || $0 == "," || $0 == ":" || $0 == ";" })
        else {
            return (line, "")
        }
        let rest = line[end...].drop { $0.isWhitespace || $0 == "," || $0 == ":" || $0 == ";" }
        return (String(line[..<end]), String(rest))
    }

    /// Such as `n01440764`.
    private static func isSynset(_ word: String) -> Bool {
        word.utf8.count == 9 && word.first == "n" && word.dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
    }
}
