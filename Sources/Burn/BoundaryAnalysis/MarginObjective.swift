import Tensors

/// What is descended to push a sample with predicted class c out of its class.
public enum MarginObjective: Hashable, Sendable {
    /// z_c - max over j ≠ c of z_j: the nearest boundary.
    case runnerUp
    /// z_c - mean over j ≠ c of z_j: not biased to the runner-up, so the class that is met first tells more of
    /// the sample's own content.
    case meanLogit

    /// Per sample, (N): the objective.
    func value(_ logits: Tensor, _ predicted: Tensor) throws -> Tensor {
        let own = try logits.pick(predicted)
        switch self {
        case .runnerUp: return try own - Self.others(logits, predicted).amax([1])
        case .meanLogit:
            let classes = try Double(logits.size(1))
            return try own - (logits.sum([1]) - own) / max(classes - 1, 1)
        }
    }

    /// Logits with each sample's predicted class out of the race.
    static func others(_ logits: Tensor, _ predicted: Tensor) throws -> Tensor {
        try logits.scatter(1, predicted.unsqueeze(1), -1e30)
    }
}
