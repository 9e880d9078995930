import Problems

/// Why a pickle was refused.
public enum PickleFault: String, Sendable {
    case damaged = "pickle-damaged"
    case opcode = "pickle-opcode-not-allowed"
    case global = "pickle-global-not-allowed"
    case limit = "pickle-over-limit"

    private var title: String {
        switch self {
        case .damaged: "The pickle is damaged"
        case .opcode: "The pickle does something that data never needs"
        case .global: "The pickle names code"
        case .limit: "The pickle is over a limit"
        }
    }

    func problem(_ detail: String, name: String, offset: Int, fix: String? = nil) -> Problem {
        let category: Problem.Category =
            switch self {
            case .damaged: .malformed
            case .opcode, .global: .unsupportedFormat
            case .limit: .tooLarge
            }
        return Problem(
            category, code: rawValue, title: title, detail: detail, location: "\(name), byte \(offset)",
            fix: fix ?? Self.saveAgain)
    }

    /// What to do about a file that is more than data.
    public static let saveAgain =
        "Only tensors, arrays, dicts, lists, tuples, numbers, strings, bools and None are read; nothing is ever "
        + "called. Save the weights alone: torch.save(model.state_dict(), \"model.pth\"), or "
        + "safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")."
}

/// Bounds on a pickle.
public struct PickleLimits: Hashable, Sendable {
    public var maximumBytes: Int
    public var maximumOperations: Int
    /// Values in all containers together, and values on the stack.
    public var maximumValues: Int

    public init(
        maximumBytes: Int = 256 << 20, maximumOperations: Int = 20_000_000, maximumValues: Int = 10_000_000
    ) {
        self.maximumBytes = maximumBytes
        self.maximumOperations = maximumOperations
        self.maximumValues = maximumValues
    }
}
