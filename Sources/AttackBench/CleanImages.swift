import PackedDataset
import Support

/// Images with their true labels, before any attack.
public struct CleanImages: Sendable {
    /// In order of code points, so that a class's place is its label in a packed data set.
    public let classes: [String]
    /// Indices into `classes`.
    public let labels: [Int]
    private let read: @Sendable (Int) -> ByteImage

    public init(classes: [String], labels: [Int], read: @escaping @Sendable (Int) -> ByteImage) {
        precondition(classes == classes.sortedByCodePoint(), "classes are sorted")
        self.classes = classes
        self.labels = labels
        self.read = read
    }

    public var count: Int { labels.count }

    public func image(_ index: Int) -> ByteImage { read(index) }

    /// Drawn images `first..<first + count`, the classes in turn.
    public static func procedural(_ count: Int, first: Int = 0, seed: UInt64) -> CleanImages {
        let classes = ProceduralImages.classes
        let labels = (0..<count).map { $0 % classes.count }
        return CleanImages(classes: classes, labels: labels) { index in
            ByteImage(
                height: ProceduralImages.height, width: ProceduralImages.width,
                channels: ProceduralImages.channels,
                pixels: ProceduralImages.image(label: labels[index], index: first + index, seed: seed))
        }
    }

    /// A random part of a packed set, in the set's order; all of it where it has no more than `count`
    /// samples.
    public init(_ set: PackedDataset, choosing count: Int?, seed: UInt64) {
        let all = CleanImages(classes: set.classes, labels: set.labels.map(Int.init)) { index in
            set.withImage(at: index) {
                ByteImage(height: set.height, width: set.width, channels: set.channels, pixels: Array($0))
            }
        }
        self = all.chosen(count ?? set.count, seed: seed)
    }

    /// A random part, in the order it has here; all where there are no more than `count` images.
    public func chosen(_ count: Int, seed: UInt64) -> CleanImages {
        guard count < self.count else { return self }
        var random = SplitMix64(seed: seed)
        let places = random.sample(count, outOf: self.count).sorted()
        let read = read
        return CleanImages(classes: classes, labels: places.map { labels[$0] }) { read(places[$0]) }
    }
}
