import Support

/// Which class each output of a model stands for.
public struct OutputNames: Hashable, Sendable {
    /// The names of each output: one, or those of a synset and of people.
    public private(set) var names: [Int: [String]] = [:]

    public static let outputs = 0...Int(Int32.max)

    public init() {}

    /// Output of each name. A name of two outputs ("crane" of ImageNet) stands for neither.
    public var mapping: [String: Int] {
        var found: [String: Int] = [:]
        var shared: Set<String> = []
        for (output, names) in names {
            for name in Set(names) where found.updateValue(output, forKey: name) != nil {
                shared.insert(name)
            }
        }
        return found.filter { !shared.contains($0.key) }
    }

    /// - Parameter place: where the name stands, as a JSON pointer or a line.
    /// - Throws: `OutputNamesFault` for an output that has names already, and for an empty name.
    mutating func add(_ added: [String], output: Int, place: String) throws(OutputNamesFault) {
        guard Self.outputs.contains(output) else {
            throw OutputNamesFault("\(output) is no number of an output.", place)
        }
        let added = added.map { $0.trimmingSpace() }
        guard !added.isEmpty, !added.contains("") else {
            throw OutputNamesFault("A class has no name.", place)
        }
        if let owner = names.updateValue(added, forKey: output)?.first {
            throw OutputNamesFault(
                "Output \(output) is that of \"\(owner.prefix(80))\" and of \"\(added[0].prefix(80))\".",
                place)
        }
    }
}

/// What is wrong with a class order, and where.
public struct OutputNamesFault: Error, Hashable, Sendable {
    public var detail: String
    /// A JSON pointer, or `line 3`; empty for the whole.
    public var place: String

    init(_ detail: String, _ place: String) {
        self.detail = detail
        self.place = place
    }

    /// The forms that are read.
    public static let forms =
        "Write it as one of [\"cat\", \"dog\"], {\"0\": \"cat\", \"1\": \"dog\"}, {\"cat\": 0, \"dog\": 1}, a config.json with "
        + "id2label or label2id, and text with a name a line."
}
