import AttackBench
import Burn
import Execution
import Support
import Tensors

/// Pushes samples whose truth is known over the boundary, as the boundary analysis does.
struct Observer {
    let model: GraphModel
    let images: LabelledImages
    /// By sample.
    let truth: [SampleTruth]
    let token: CancellationToken

    /// Clean samples of each class that its mean is taken of.
    private static let ofEachClass = 200

    /// Samples that the model sees as they are labelled: what it has not learned, it was not poisoned with.
    func observe(_ name: String, samples: Int, seed: UInt64) throws -> Observations {
        let all = Array(0..<images.count)
        let predicted: [Int] = try model.probabilities(images, all, token: token).argmax(1).array()
        var random = SplitMix64(seed: seed)
        let learned = all.filter { predicted[$0] == images.labels[$0] }.shuffled(using: &random)
        let poisoned = learned.filter { truth[$0].isPoisoned }
        let targets = Set(poisoned.map { images.labels[$0] })
        // The first half of each class makes its mean, the others are looked at.
        let classes = Dictionary(grouping: learned.filter { truth[$0].role == .clean }) { images.labels[$0] }
        let means = try classMeans(
            of: classes.mapValues { Array($0.prefix(min($0.count / 2, Self.ofEachClass))) })
        let rest = Set(classes.values.flatMap { $0.dropFirst(min($0.count / 2, Self.ofEachClass)) })
        let clean = learned.filter(rest.contains)
        let kinds = [
            "poisoned": poisoned, "clean": clean,
            "target": clean.filter { targets.contains(images.labels[$0]) },
        ].mapValues { Array($0.prefix(samples)) }
        return Observations(
            name: name,
            groups: try kinds.filter { !$0.value.isEmpty }.mapValues { try pushed($0, means) })
    }

    private func pushed(_ samples: [Int], _ means: ClassMeans?) throws -> Observations.Group {
        var group = Observations.Group()
        for part in images.parts(of: samples) {
            let batch = try images.batch(part)
            let before = try model.forwardWithFeatures(batch, mode: .inference, token: token)
            let predicted: [Int] = try before.logits.argmax(1).array()
            let nearest = try BoundaryDescent.nearest(model: model, images: images, token: token)
                .run(batch, predicted: predicted)
            let spread = try BoundaryDescent.unbiased(model: model, images: images, token: token)
                .run(batch, predicted: predicted)
            let distances: [Float] = try nearest.perturbations.flatten(from: 1).norm([1]).array()
            let labels = part.map { truth[$0].label }
            group.distances += distances.map(Double.init)
            group.adversarial += spread.adversarialLabels
            group.labels += labels
            let after = try model.forwardWithFeatures(
                batch + spread.perturbations, mode: .inference, token: token)
            if let means, let untouched = before.features, let moved = after.features {
                group.before += try means.cosines(untouched, labels)
                group.after += try means.cosines(moved, labels)
            }
        }
        return group
    }

    /// Nil for a model without a penultimate layer to speak of, or where a class has no clean sample.
    private func classMeans(of classes: [Int: [Int]]) throws -> ClassMeans? {
        var rows: [Int: [Tensor]] = [:]
        for (label, samples) in classes {
            for part in images.parts(of: samples) {
                guard
                    let features = try model.forwardWithFeatures(
                        images.batch(part), mode: .inference, token: token
                    ).features
                else { return nil }
                rows[label, default: []].append(features)
            }
        }
        return try ClassMeans(rows.mapValues { try Tensor.cat($0).mean([0]) })
    }
}

/// Means of clean samples' penultimate activations, by class.
private struct ClassMeans {
    /// Less the mean of all classes.
    private let directions: [Int: [Float]]
    private let centre: [Float]

    init(_ means: [Int: Tensor]) throws {
        let rows: [Int: [Float]] = try means.mapValues { try $0.array() }
        let width = rows.values.first?.count ?? 0
        let centre = (0..<width).map { place in
            rows.values.reduce(0) { $0 + $1[place] } / Float(max(1, rows.count))
        }
        self.centre = centre
        directions = rows.mapValues { zip($0, centre).map { $0 - $1 } }
    }

    /// Of each row of `features` to its label's class.
    func cosines(_ features: Tensor, _ labels: [Int]) throws -> [Double] {
        let rows: [Float] = try features.array()
        return labels.enumerated().compactMap { row, label in
            guard let direction = directions[label] else { return nil }
            let own = zip(rows[row * centre.count..<(row + 1) * centre.count], centre).map { $0 - $1 }
            func product(_ a: [Float], _ b: [Float]) -> Double {
                zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            }
            let size = (product(own, own) * product(direction, direction)).squareRoot()
            return size > 0 ? product(own, direction) / size : nil
        }
    }
}
