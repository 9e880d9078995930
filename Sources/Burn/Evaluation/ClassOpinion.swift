import Tensors

/// Class probabilities as an opinion on what an image shows beside its trigger, or a sum of such opinions.
///
/// The classes that count most are kept: what many samples take does not grow with the number of classes.
package struct ClassOpinion: Hashable, Sendable {
    /// Ascending.
    private var classes: [Int32] = []
    private var shares: [Float] = []

    private static let mostClasses = 32

    /// By class; what is not above zero is no part of it.
    init(_ votes: some Sequence<Float>) {
        for (label, vote) in votes.enumerated() where vote > 0 { append(Int32(label), vote) }
        trim()
    }

    /// - Parameter probabilities: of one image, by class.
    /// - Returns: those of the classes other than `label`, as shares of all of these.
    init(apartFrom label: Int, _ probabilities: some Sequence<Float>) {
        var others = Array(probabilities)
        others[label] = 0
        let total = max(others.reduce(0, +), Self.least)
        self.init(others.map { $0 / total })
    }

    init(certain label: Int, weight: Float = 1) {
        append(Int32(label), weight)
    }

    /// No opinion.
    init() {}

    private static let least: Float = 1e-6

    /// The first of the classes that count most; nil where there is no opinion.
    var best: Int? { shares.max().flatMap { shares.firstIndex(of: $0) }.map { Int(classes[$0]) } }

    func share(of label: Int) -> Float {
        classes.firstIndex(of: Int32(label)).map { shares[$0] } ?? 0
    }

    var largest: Float { shares.max() ?? 0 }

    var total: Float { shares.reduce(0, +) }

    var normalised: ClassOpinion { divided(by: max(total, Self.least)) }

    /// Calls `body` with each class that is kept, and its share.
    func forEach(_ body: (_ label: Int, _ share: Float) -> Void) {
        for (label, share) in zip(classes, shares) { body(Int(label), share) }
    }

    /// As shares of their sum, each class's multiplied before; as it is where nothing is left.
    /// - Parameter factors: by class.
    func weighted(by factors: [Float]) -> ClassOpinion {
        var weighted = self
        for place in shares.indices { weighted.shares[place] *= factors[Int(classes[place])] }
        let total = weighted.total
        return total > 0 ? weighted.divided(by: total) : self
    }

    static func + (one: ClassOpinion, other: ClassOpinion) -> ClassOpinion {
        var (sum, next) = (ClassOpinion(), 0)
        for (label, share) in zip(one.classes, one.shares) {
            while next < other.classes.count, other.classes[next] < label {
                sum.append(other.classes[next], other.shares[next])
                next += 1
            }
            if next < other.classes.count, other.classes[next] == label {
                sum.append(label, share + other.shares[next])
                next += 1
            } else {
                sum.append(label, share)
            }
        }
        for rest in next..<other.classes.count { sum.append(other.classes[rest], other.shares[rest]) }
        sum.trim()
        return sum
    }

    private mutating func append(_ label: Int32, _ share: Float) {
        classes.append(label)
        shares.append(share)
    }

    private mutating func trim() {
        guard shares.count > Self.mostClasses else { return }
        // Places of the largest so far, largest first; of equal ones the first class stays.
        var kept: [Int] = []
        for place in shares.indices {
            if kept.count == Self.mostClasses {
                guard let last = kept.last, shares[place] > shares[last] else { continue }
                kept.removeLast()
            }
            kept.insert(place, at: kept.firstIndex { shares[$0] < shares[place] } ?? kept.count)
        }
        kept.sort()
        (classes, shares) = (kept.map { classes[$0] }, kept.map { shares[$0] })
    }

    private func divided(by total: Float) -> ClassOpinion {
        var divided = self
        divided.shares = shares.map { $0 / total }
        return divided
    }
}

/// Labels to train on that may be uncertain: opinions, of which a row of class probabilities is made when it is drawn.
package struct SoftLabels: Sendable {
    let opinions: [ClassOpinion]
    let classes: Int

    /// (rows.count, classes). Where there is no opinion, every class is as likely as another.
    package func rows(_ rows: [Int]) throws -> Tensor {
        let values = rows.flatMap { row -> [Float] in
            let opinion = opinions[row]
            let total = opinion.total
            var values = [Float](repeating: opinion.best == nil ? 1 / Float(classes) : 0, count: classes)
            opinion.forEach { label, share in values[label] = share / total }
            return values
        }
        return try Tensor(values, shape: [rows.count, classes])
    }
}
