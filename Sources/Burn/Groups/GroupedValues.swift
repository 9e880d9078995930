/// Numbers of which those that lie next to each other are counted together: for fits that look at all of them many times.
///
/// What is next to each other is a twentieth of the narrowest mode's deviation apart at most, so that a mode's share in the one
/// is its share in the other.
struct GroupedValues {
    struct Group {
        var count: Double
        var sum: Double
        var squares: Double
        var mean: Double { sum / count }
    }

    private(set) var groups: [Group] = []

    private static let widest = TwoComponentMixture.narrowest / 20

    /// - Parameter sorted: ascending.
    init(_ sorted: [Double]) {
        var first = -Double.infinity
        for value in sorted {
            if groups.isEmpty || value - first > Self.widest {
                groups.append(Group(count: 0, sum: 0, squares: 0))
                first = value
            }
            groups[groups.count - 1].count += 1
            groups[groups.count - 1].sum += value
            groups[groups.count - 1].squares += value * value
        }
    }
}
