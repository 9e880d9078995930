import Evaluation
import Execution
import Tensors

/// What flagged samples show besides their trigger: class probabilities that are averaged over everything that
/// has an opinion, in all rounds so far.
///
/// The opinions: the adversarial label; a model's view of the image with the trigger taken out, as it is and
/// mirrored; once there is a sanitised model, its view of the image as it is. The given label is never the
/// answer, but for clean-label poison, where it is.
struct LabelRestoration {
    let images: LabelledImages
    let table: AnalysisTable
    let targets: [ClassFinding]
    let reviews: Reviews
    /// Whether mirrored images are asked about as well.
    let mirrors: Bool
    let token: CancellationToken
    private(set) var votes: [Int: [Float]] = [:]

    /// Weight of the adversarial label beside one model's opinion.
    private static let adversarialWeight: Float = 0.5

    init(
        images: LabelledImages, table: AnalysisTable, targets: [ClassFinding], reviews: Reviews = .none,
        mirrors: Bool = true, token: CancellationToken
    ) {
        self.images = images
        self.table = table
        self.targets = targets
        self.reviews = reviews
        self.mirrors = mirrors
        self.token = token
    }

    /// Adds `model`'s opinions on `samples`; `sanitised` says that it may be asked about the images as they are.
    mutating func ask(_ model: GraphModel, about samples: [Int], sanitised: Bool, weight: Float = 1) throws {
        for target in targets {
            guard target.trigger != nil || target.styleTransplant != nil || sanitised else { continue }
            let own = samples.filter { images.labels[$0] == target.label }
            for part in images.parts(of: own) {
                let batch = try images.batch(part)
                let removed = try target.withoutTrigger(batch)
                var views = try removed.map { mirrors ? [$0, try $0.flip([3])] : [$0] } ?? []
                if sanitised { views.append(batch) }
                let opinions = try views.map {
                    try model.forward($0, mode: .inference, token: token).softmax(1).array(as: Float.self)
                }
                for (row, sample) in part.enumerated() { count(opinions, row, sample, weight) }
            }
        }
    }

    private mutating func count(_ opinions: [[Float]], _ row: Int, _ sample: Int, _ weight: Float) {
        let classes = images.classes
        var vote = votes[sample] ?? adversarialVote(sample)
        for opinion in opinions {
            var share = Array(opinion[row * classes..<(row + 1) * classes])
            share[images.labels[sample]] = 0
            let total = max(share.reduce(0, +), 1e-6)
            for label in 0..<classes { vote[label] += weight * share[label] / total }
        }
        votes[sample] = vote
    }

    private func adversarialVote(_ sample: Int) -> [Float] {
        var vote = [Float](repeating: 0, count: images.classes)
        let (label, given) = (Int(table.adversarialLabel[sample]), images.labels[sample])
        let predicted = Int(table.predicted[sample])
        if label != given {
            vote[label] = Self.adversarialWeight
        } else if predicted != given {
            // Named by a person: what the model sees in it, where it leaves that for its given label.
            vote[predicted] = Self.adversarialWeight
        }
        return vote
    }

    /// Probabilities, (samples.count, classes), for training.
    func probabilities(_ samples: [Int]) throws -> Tensor {
        let rows = samples.flatMap { sample -> [Float] in
            if let known = reviews.label(sample) { return (0..<images.classes).map { $0 == known ? 1 : 0 } }
            let vote = votes[sample] ?? adversarialVote(sample)
            let total = vote.reduce(0, +)
            return total > 0 ? vote.map { $0 / total } : vote.map { _ in 1 / Float(images.classes) }
        }
        return try Tensor(rows, shape: [samples.count, images.classes])
    }

    /// The restored label of a flagged sample.
    func label(_ sample: Int) -> Int {
        if let known = reviews.label(sample) { return known }
        let given = images.labels[sample]
        if targets.contains(where: { $0.label == given && $0.isCleanLabel }) { return given }
        let vote = votes[sample] ?? adversarialVote(sample)
        return vote.indices.max { (vote[$0], $1) < (vote[$1], $0) } ?? given
    }
}
