import Dispatch

/// File operations that may take long, off the threads that Swift's tasks share.
public func onDisk<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        diskQueue.async { continuation.resume(with: Result { try body() }) }
    }
}

/// Another quality of service than the default has threads of its own.
private let diskQueue = DispatchQueue(label: "burn.disk", qos: .utility, attributes: .concurrent)
