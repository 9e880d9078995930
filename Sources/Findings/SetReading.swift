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

    /// Images that could not be read and were left out.
    public struct Damaged: Codable, Hashable, Sendable {
        public struct File: Codable, Hashable, Sendable {
            public var name: String
            public var reason: String

            public init(name: String, reason: String) {
                self.name = name
                self.reason = reason
            }
        }

        public var count: Int
        /// The first hundred.
        public var files: [File]

        public init(count: Int, files: [File]) {
            self.count = count
            self.files = files
        }

        /// For a verdict: what it says nothing of.
        public var statement: String {
            let shown = files.prefix(3).map(\.name).joined(separator: ", ") + (count > 3 ? ", …" : "")
            return "\(count) \(count == 1 ? "image" : "images") of the set could not be read and "
                + "\(count == 1 ? "was" : "were") left out (skip_damaged): \(shown). Nothing is said about "
                + "\(count == 1 ? "it" : "them")."
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
    /// Nil where none was left out.
    public var damaged: Damaged?

    public init(
        layout: ImportOptions.Layout, decision: String, split: ImportOptions.Split? = nil,
        ignored: [Ignored] = [],
        converted: [Converted] = [], turned: Int = 0, orientation: ImportOptions.Orientation = .stored,
        notes: [String] = [], damaged: Damaged? = nil
    ) {
        self.layout = layout
        self.decision = decision
        self.split = split
        self.ignored = ignored
        self.converted = converted
        self.turned = turned
        self.orientation = orientation
        self.notes = notes
        self.damaged = damaged
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
        if let damaged { result.append(damaged.statement) }
        result += ignored.map { item in
            "Ignored: \(item.count) \(item.kind) (\(item.reason)): \(item.examples.joined(separator: ", "))"
                + (item.count > item.examples.count ? ", …" : "") + "."
        }
        return result
    }
}
