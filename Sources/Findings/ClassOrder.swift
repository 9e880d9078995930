/// Which of the model's outputs each class of a data set stands for, and how that is known.
public struct ClassOrder: Codable, Hashable, Sendable {
    public enum Source: String, Codable, Hashable, Sendable, CaseIterable {
        /// `options.classes`.
        case given
        /// The names that the model's file carries for its outputs.
        case modelNames = "model_names"
        /// The synsets or names of ImageNet's thousand classes, in their usual order.
        case imageNet = "imagenet"
        /// The numbers that the set has for its classes, or that its folders are called by.
        case numbers
        /// The place in the sorted names: nothing else is known.
        case sorted
    }

    public var source: Source
    /// One for each of the set's classes, in the set's order.
    public var outputs: [Int]
    /// A name for every output: that of its class, else what the model or the mapping calls it, else its number.
    public var names: [String]

    /// Why classes and outputs do not go together.
    public struct Fault: Error, Hashable, Sendable {
        /// Whether it is the mapping's fault, and not the data set's.
        public var isOfMapping: Bool
        /// The class that it is about, where it is about one.
        public var className: String?
        public var detail: String
        public var fix: String
    }

    /// - Parameters:
    ///   - classes: the set's, in its order.
    ///   - count: the model's outputs.
    ///   - mapping: `options.classes`: names may be more than the set's, and are compared as `NameMatch` says.
    ///   - modelNames: the outputs' names in the model's file, one each.
    /// - Throws: `Fault`.
    public init(
        of classes: [DatasetSummary.ClassCount], outputs count: Int, mapping: [String: Int]? = nil,
        modelNames: [String]? = nil
    ) throws {
        let folders = classes.map(\.name)
        let modelNames = modelNames.flatMap { $0.count == count ? $0 : nil }
        (source, outputs) =
            try mapping.map { (.given, try Self.mapped(folders, $0, outputs: count)) }
            ?? Self.found(classes, outputs: count, modelNames)
        names =
            modelNames ?? (source == .imageNet ? ImageNetClasses.names : (0..<count).map(String.init))
        for (name, output) in (mapping ?? [:]).sorted(by: { $0.key < $1.key })
        where (0..<count).contains(output) { names[output] = name }
        for (name, output) in zip(folders, outputs) { names[output] = name }
    }

    /// Whether not one output in ten has a class, and nothing says which ones: their first outputs can't be meant. Where a
    /// few classes are missing, the predictions tell whether the order holds.
    public var isGuessedSubset: Bool { source == .sorted && 10 * outputs.count < names.count }

    private static func mapped(_ folders: [String], _ mapping: [String: Int], outputs count: Int) throws
        -> [Int]
    {
        let named = mapping.sorted { $0.key < $1.key }.map { (name: $0.key, output: $0.value) }
        if let wrong = named.first(where: { !(0..<count).contains($0.output) }) {
            throw Fault(
                isOfMapping: true, className: wrong.name,
                detail:
                    "\"\(wrong.name)\" is mapped to output \(wrong.output); the model has \(count) outputs.",
                fix: "Outputs count from 0 to \(count - 1).")
        }
        let match = NameMatch(folders, among: named)
        if let place = match.outputs.firstIndex(of: nil) {
            throw Fault(
                isOfMapping: true, className: folders[place],
                detail: "The data set's class \"\(folders[place])\" is mapped to \(match.why(place)).",
                fix: "Map every class folder. They are: \(brief(folders)).")
        }
        let outputs = match.outputs.compactMap(\.self)
        if let (first, second) = repeated(outputs) {
            throw Fault(
                isOfMapping: true, className: folders[second],
                detail: "\"\(folders[first])\" and \"\(folders[second])\" are mapped to the same output, "
                    + "\(outputs[second]).",
                fix: "Give every class folder an output of its own.")
        }
        return outputs
    }

    /// Without a mapping.
    private static func found(
        _ classes: [DatasetSummary.ClassCount], outputs count: Int, _ modelNames: [String]?
    ) throws -> (Source, [Int]) {
        let folders = classes.map(\.name)
        let labels = classes.compactMap(\.label)
        let numbers = labels.count == folders.count ? labels : numerals(folders, below: count)
        let match = modelNames.map { names in
            NameMatch(folders, among: names.enumerated().map { (name: $0.element, output: $0.offset) })
        }
        if let matched = match?.complete { return (.modelNames, matched) }
        if count == ImageNetClasses.lines.count,
            let matched = NameMatch(
                folders,
                among: ImageNetClasses.lines.enumerated().map { (name: $0.element, output: $0.offset) }
            ).complete
        {
            return (.imageNet, matched)
        }
        if let numbers, numbers.count < count || labels.count == folders.count {
            if let place = numbers.firstIndex(where: { !(0..<count).contains($0) }) {
                throw Fault(
                    isOfMapping: false, className: folders[place],
                    detail:
                        "The data set's label \(numbers[place]) (\"\(folders[place])\") is none of the model's "
                        + "outputs 0 to \(count - 1).",
                    fix: "Upload the data set that the model was trained on, or map names to outputs with "
                        + "options.classes (--classes FILE).")
            }
            return (.numbers, numbers)
        }
        guard folders.count <= count else {
            throw Fault(
                isOfMapping: false, className: nil,
                detail: "The data set has \(folders.count) classes, the model \(count) outputs.",
                fix: "Upload the data set that the model was trained on; the set's classes are "
                    + "\(brief(folders)).")
        }
        if let match, !match.allows(Array(folders.indices), among: count) {
            let matched = match.outputs.indices.filter { match.outputs[$0] != nil }
            let open = match.outputs.indices.filter { match.outputs[$0] == nil }
            throw Fault(
                isOfMapping: true, className: open.first.map { folders[$0] },
                detail:
                    "The model names its outputs, and \(matched.count) of the data set's \(folders.count) classes "
                    + "are among them (\(brief(matched.map { "\(folders[$0]) = \(match.outputs[$0] ?? 0)" }))), but not "
                    + "\(brief(open.map { folders[$0] })).",
                fix: "Map every class folder to its output with options.classes (--classes FILE).")
        }
        return (.sorted, Array(folders.indices))
    }

    /// The numbers below `bound` that all of `names` are, each another one; nil otherwise.
    private static func numerals(_ names: [String], below bound: Int) -> [Int]? {
        let numbers = names.compactMap { name in
            name.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(name) : nil
        }
        guard !names.isEmpty, numbers.count == names.count, numbers.allSatisfy({ $0 < bound }),
            Set(numbers).count == numbers.count
        else { return nil }
        return numbers
    }

    /// The places of two equal values.
    private static func repeated(_ outputs: [Int]) -> (Int, Int)? {
        var places: [Int: Int] = [:]
        for (place, output) in outputs.enumerated() {
            if let first = places.updateValue(place, forKey: output) { return (first, place) }
        }
        return nil
    }

    private static func brief(_ names: [String]) -> String {
        names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", … (\(names.count) in all)" : "")
    }
}
