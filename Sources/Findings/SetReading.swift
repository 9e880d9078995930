/// How a set was read: what was decided, what was left out, and what was done to the images.
public struct SetReading: Codable, Hashable, Sendable {
    /// Files of one kind that are no part of the set as it was read.
    public struct Ignored: Codable, Hashable, Sendable {
        /// An extension such as `.json`, or a file's name.
        public var kind: String
        public var reason: String
        public var count: Int
        /// The first few.
        public var examples: [String]

        public init(kind: String, reason: String, count: Int, examples: [String]) {
            self.kind = kind
            self.reason = reason
            self.count = count
            self.examples = examples
        }
    }

    /// Images that were not what the packed ones are: 8-bit grey or RGB.
    public struct Converted: Codable, Hashable, Sendable {
        /// Such as `CMYK`.
        public var from: String
        /// How it was converted.
        public var how: String
        public var count: Int
        /// The first of them.
        public var example: String

        public init(from: String, how: String, count: Int, example: String) {
            self.from = from
            self.how = how
            self.count = count
            self.example = example
        }
    }

    public var layout: ImportOptions.Layout
    /// By what the layout was told, in a sentence.
    public var decision: String
    /// The part that was read, of a set with parts.
    public var split: ImportOptions.Split?
    public var ignored: [Ignored]
    public var converted: [Converted]
    /// Images whose orientation (EXIF) is another than upright.
    public var turned: Int
    /// What was done with these.
    public var orientation: ImportOptions.Orientation
    /// What else is good to know, in sentences.
    public var notes: [String]

    public init(
        layout: ImportOptions.Layout, decision: String, split: ImportOptions.Split? = nil,
        ignored: [Ignored] = [],
        converted: [Converted] = [], turned: Int = 0, orientation: ImportOptions.Orientation = .stored,
        notes: [String] = []
    ) {
        self.layout = layout
        self.decision = decision
        self.split = split
        self.ignored = ignored
        self.converted = converted
        self.turned = turned
        self.orientation = orientation
        self.notes = notes
    }

    /// All of it in sentences.
    public var sentences: [String] {
        var result = [decision] + notes
        result += converted.map { "\($0.count) images were \($0.from): \($0.how) (\($0.example))." }
        if turned > 0 {
            result.append(
                orientation == .stored
                    ? "\(turned) images have an orientation (EXIF) and were taken as they are stored; orientation=upright "
                        + "turns them."
                    : "\(turned) images were turned upright by their orientation (EXIF).")
        }
        result += ignored.map { item in
            "Ignored: \(item.count) \(item.kind) (\(item.reason)): \(item.examples.joined(separator: ", "))"
                + (item.count > item.examples.count ? ", …" : "") + "."
        }
        return result
    }
}
