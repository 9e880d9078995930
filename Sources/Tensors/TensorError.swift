import CTorch

/// An operator that could not be carried out.
///
/// A cancelled run throws `CancellationError` instead.
public struct TensorError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Refused before it reached libtorch: wrong types, counts, indices.
        case invalidArgument
        /// libtorch said no: shapes that do not fit, an operator without a kernel.
        case failed
        case outOfMemory
    }

    public var kind: Kind
    /// Such as `aten::conv2d`.
    public var operatorName: String
    /// The first line of libtorch's message.
    public var message: String

    public init(_ kind: Kind, operatorName: String, message: String) {
        self.kind = kind
        self.operatorName = operatorName
        self.message = message
    }

    public var description: String { "\(operatorName): \(message)" }
}

/// Turns a status of the C ABI into an error and releases its message.
func check(_ status: ct_status, _ operatorName: @autoclosure () -> String) throws {
    guard status.code != CT_OK else { return }
    let message = status.message.map { String(cString: $0) } ?? "unknown error"
    ct_free(status.message)
    switch Int(status.code) {
    case Int(CT_CANCELLED): throw CancellationError()
    case Int(CT_INVALID):
        throw TensorError(.invalidArgument, operatorName: operatorName(), message: message)
    case Int(CT_OUT_OF_MEMORY):
        throw TensorError(.outOfMemory, operatorName: operatorName(), message: message)
    default: throw TensorError(.failed, operatorName: operatorName(), message: message)
    }
}
