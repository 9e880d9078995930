/// What the detection concludes of a class that is not clean, and what that rests on.
struct Conclusion: Sendable {
    enum Judgement: Int, Comparable, Sendable {
        case clean
        /// One kind of evidence speaks for a backdoor, another does not.
        case suspicious
        case backdoored

        static func < (one: Judgement, other: Judgement) -> Bool { one.rawValue < other.rawValue }
    }

    enum Ground: Sendable {
        /// A cluster of perturbations, and the trigger behind it.
        case perturbations
        /// A pattern in the images of one class.
        case pattern(PatternEvidence)
        /// A pattern in images of all classes.
        case common(CommonPattern)
        /// The trigger of another class, which works here from another source.
        case shared(with: Int)
        /// How a part of the class is pictured (`ClassFinding.style`).
        case style
        /// The penultimate layer alone (`ClassFinding.features`).
        case features
        /// Distances from the boundary alone, with each sample's probability of having been planted (`PublishedDetection`).
        case distance(DistanceOutliers, carriers: [Int: Double])
    }

    var judgement: Judgement
    var ground: Ground
}
