import Support

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
    /// Bytes that the values take beside the texts in them, each reckoned as `PickleMemory` says.
    public var maximumMemory: Int

    public init(
        maximumBytes: Int = 256 << 20, maximumOperations: Int = 20_000_000, maximumValues: Int = 10_000_000,
        maximumMemory: Int = 64 << 20
    ) {
        self.maximumMemory = maximumMemory
        self.maximumBytes = maximumBytes
        self.maximumOperations = maximumOperations
        self.maximumValues = maximumValues
    }
}

/// Bytes that each part of a document is reckoned at. Lists and tables grow by doubling, and have a head of 32 bytes.
enum PickleMemory {
    /// On the stack, or in a list or tuple.
    static let value = 2 * MemoryLayout<PickleDocument.Value>.stride
    /// A key and its value.
    // bounded: a few bytes.
    static let pair = 2 * value
    /// A list, tuple or dict without what is in it.
    static let container = 64
    static let memoEntry = 112
    /// A text that is too long to lie in its value (more than 15 bytes), without its bytes.
    static let text = 48
    /// A tensor, array or storage.
    static let table = 256
}
