import Findings
import Support

/// The memory that a job takes at least, as far as its model and its images tell before it starts.
///
/// Less is not enough, whatever is found; the searches of the detection come on top of it.
public struct MemoryNeed: Hashable, Sendable {
    /// What every worker takes: libtorch, and what a pass sets up. Measured: 180 to 200 MiB.
    var engine = 160 << 20
    /// Of one copy, as 32-bit numbers.
    var weights: Int
    /// Copies at the same time.
    var copies: Int
    /// What the model's layers make of one image.
    var activations: Int
    /// Images that are in the layers at the same time.
    var together: Int

    /// In training: the suspicious model and the one that is trained, its gradients and their momentum.
    private static let copiesInTraining = 4

    /// - Parameters:
    ///   - weights: bytes of one copy.
    ///   - batches: of the training set.
    ///   - threads: that the job computes on.
    public init(_ type: JobType, weights: Int, _ batches: BatchSizes, threads: Int) {
        self.weights = weights
        activations = batches.activationBytes
        let surveyed = batches.surveyed(threads: threads)
        (copies, together) =
            type == .purify
            ? (
                Self.copiesInTraining,
                max(surveyed, min(BatchSizes.ofPurificationByTransplants, batches.learned))
            )
            : (1, surveyed)
    }

    init(weights: Int, copies: Int, activations: Int, together: Int) {
        (self.weights, self.copies) = (weights, copies)
        (self.activations, self.together) = (activations, together)
    }

    public static func text(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }

    /// At least; saturates.
    public var bytes: Int {
        [weightBytes, layerBytes].reduce(engine) { Checked.sum($0, $1) ?? .max }
    }

    private var weightBytes: Int { Checked.product(weights, copies) ?? .max }
    private var layerBytes: Int { Checked.product(activations, together) ?? .max }

    public var description: String {
        "at least \(Self.text(bytes)): \(Self.text(weightBytes)) for weights (\(copies) x), "
            + "\(Self.text(layerBytes)) for the layers of \(together) images at a time, and the engine"
    }

    /// - Parameter limit: what the job's worker may use.
    /// - Throws: `Problem` `memory-insufficient`.
    public func require(within limit: Int) throws {
        guard bytes > limit else { return }
        throw Problem(
            .unprocessable, code: Problem.MemoryCode.insufficient.rawValue,
            title: "The job needs more memory than its worker may use",
            detail:
                "With this model and these images it takes \(description). Its worker may use \(Self.text(limit)).",
            location: "limits.worker_memory",
            fix:
                "Raise limits.worker_memory in the service's configuration (slurm.job_memory on a cluster), or give the job fewer "
                + "threads (options.threads).")
    }
}
