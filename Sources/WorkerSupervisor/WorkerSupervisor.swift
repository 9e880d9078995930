import Foundation
import Problems
import WorkerProtocol

/// Starts `burn-worker` processes and watches them.
public final class WorkerSupervisor: Sendable {
    public struct Configuration: Sendable {
        /// Path of `burn-worker`; nil: beside the running executable.
        public var executable: String?
        /// Added to the worker's otherwise minimal environment.
        public var environment: [String: String] = [:]
        /// Silence longer than this is a hang.
        public var heartbeatTimeout: Duration = .seconds(30)
        /// From a soft cancel to SIGKILL.
        public var cancelGrace: Duration = .milliseconds(1_200)
        public init() {}
    }

    /// - Throws: `Problem` `worker-not-found`.
    public init(configuration: Configuration = Configuration()) throws { fatalError() }
}
