import Findings

/// Work on samples whose numbers are the same wherever a batch of it is done.
///
/// What a batch's numbers depend on is the batch itself, the threads that its operators use, and the kind of processor.
package protocol SampleStage: Sendable {
    var stage: StageCost.Stage { get }
    /// Whose samples they are.
    var imageSet: ImageSet { get }
    /// Of what it finds of a sample, besides columns.
    var rowBytes: Int { get }
    /// What another process has to be told of each of these samples: the predicted class, or nothing.
    func labels(of samples: [Int]) -> [Int32]
    /// - Parameter samples: one batch.
    func findings(of samples: [Int]) throws -> SampleFindings
    /// Called on several threads.
    func keep(_ findings: SampleFindings) throws
}

extension SampleStage {
    package var imageSet: ImageSet { .training }
}

/// What a stage finds of some samples, a row for each.
package struct SampleFindings: Sendable {
    package var samples: [Int]
    /// Columns of classes. The survey's and the predictions': predicted, runner-up. The descents': the class met. The feature changes' have none.
    package var classes: [[Int32]]
    /// A column. The survey's: the linear distance. The descents': the distance. The others have none.
    package var distances: [Float]
    /// Rows of a `PerturbationSketch`; empty for predictions.
    package var directions: [UInt8]
    /// Input gradients taken.
    package var gradients: Int

    package init(
        samples: [Int], classes: [[Int32]], distances: [Float], directions: [UInt8], gradients: Int
    ) {
        self.samples = samples
        self.classes = classes
        self.distances = distances
        self.directions = directions
        self.gradients = gradients
    }

    /// Adds what was found of further samples by the same stage.
    package mutating func append(_ other: SampleFindings) {
        samples += other.samples
        for (column, more) in other.classes.enumerated() { classes[column] += more }
        distances += other.distances
        directions += other.directions
        gradients += other.gradients
    }
}

extension StageCost.Stage {
    /// Columns that the stage finds; nil where it is no `SampleStage`.
    package var columns: (classes: Int, distances: Int)? {
        switch self {
        case .survey: (2, 1)
        case .predictions, .evaluation: (2, 0)
        case .descents: (1, 1)
        case .featureChanges: (0, 0)
        default: nil
        }
    }
}
