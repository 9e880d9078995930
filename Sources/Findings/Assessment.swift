/// How the model answers before and after, class by class. Names are those of the REST API.
public struct Assessment: Codable, Hashable, Sendable {
    /// Accuracy on the images of one class, 0 to 1.
    public struct ClassAccuracy: Codable, Hashable, Sendable {
        /// Model output index.
        public var label: Int
        public var name: String
        /// Nil where the class has no images.
        public var before: Double?
        /// Nil also where the model was not purified.
        public var after: Double?

        public init(label: Int, name: String, before: Double?, after: Double?) {
            self.label = label
            self.name = name
            self.before = before
            self.after = after
        }

        public enum CodingKeys: String, CodingKey {
            case label, name
            case before = "acc_before"
            case after = "acc_after"
        }
    }

    /// On one set of labelled images.
    public struct Comparison: Codable, Hashable, Sendable {
        public var samples: Int
        public var classes: [ClassAccuracy]
        /// Counts: a row for each given label, a column for each prediction. Nil with too many classes.
        public var confusionBefore: [[Int]]?
        /// Nil also where the model was not purified.
        public var confusionAfter: [[Int]]?

        /// Matrices of more classes are left out.
        public static let mostClasses = 256

        public init(
            samples: Int, classes: [ClassAccuracy], confusionBefore: [[Int]]?, confusionAfter: [[Int]]?
        ) {
            self.samples = samples
            self.classes = classes
            self.confusionBefore = confusionBefore
            self.confusionAfter = confusionAfter
        }

        /// - Parameters:
        ///   - names: one for each class.
        ///   - labels: given labels, indices of `names`.
        ///   - before: predictions, one for each label; likewise `after`, nil where there is no other model.
        public init(names: [String], labels: [Int], before: [Int], after: [Int]?) {
            let total = Self.counts(names.count, labels)
            func accuracies(_ predictions: [Int]) -> [Double?] {
                let right = Self.counts(names.count, zip(labels, predictions).filter { $0 == $1 }.map(\.0))
                return zip(right, total).map { $1 > 0 ? Double($0) / Double($1) : nil }
            }
            func confusion(_ predictions: [Int]) -> [[Int]]? {
                guard names.count <= Self.mostClasses else { return nil }
                var matrix = names.map { _ in names.map { _ in 0 } }
                for (label, prediction) in zip(labels, predictions) { matrix[label][prediction] += 1 }
                return matrix
            }
            let (first, second) = (accuracies(before), after.map(accuracies))
            self.init(
                samples: labels.count,
                classes: names.indices.map {
                    ClassAccuracy(label: $0, name: names[$0], before: first[$0], after: second?[$0])
                },
                confusionBefore: confusion(before), confusionAfter: after.flatMap(confusion))
        }

        private static func counts(_ classes: Int, _ labels: [Int]) -> [Int] {
            var counts = Array(repeating: 0, count: classes)
            for label in labels { counts[label] += 1 }
            return counts
        }

        public enum CodingKeys: String, CodingKey {
            case samples, classes
            case confusionBefore = "confusion_before"
            case confusionAfter = "confusion_after"
        }
    }

    /// On the user's clean evaluation set; nil without one.
    public var evaluation: Comparison?
    /// On samples of the training set that were never trained on, by their given labels; only where a model was
    /// purified without an evaluation set.
    public var holdout: Comparison?

    public init(evaluation: Comparison? = nil, holdout: Comparison? = nil) {
        self.evaluation = evaluation
        self.holdout = holdout
    }
}
