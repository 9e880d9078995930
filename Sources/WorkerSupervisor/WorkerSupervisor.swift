import Foundation
import Locks
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
        /// From the last frame to the end of the process.
        public var exitGrace: Duration = .seconds(5)
        public var sandbox = SandboxMode.preferred
        /// What jobs compute on.
        public var device = ComputeDevice.cpu
        /// Memory of one worker. Nil: no limit.
        public var memoryBytes: Int?
        /// From the start to the end of one attempt of a job, and of an import or probe. Nil: no limit.
        public var jobSeconds: Int?
        public var importSeconds: Int?
        /// From the start to the end of a worker that somebody waits for to see a picture. Nil: no limit.
        public var renderSeconds: Int? = 120
        /// Of one file that a worker writes. Nil: no limit.
        public var fileBytes: Int?
        /// Where each worker gets a control group. Nil: its memory is watched instead.
        public var cgroups: WorkerCgroups?

        public init() {}
    }

    public let configuration: Configuration
    /// Absolute path of the worker's program.
    public let executable: String
    private let queue = DispatchQueue(label: "burn.worker-supervisor", attributes: .concurrent)

    /// Also makes the process ignore SIGPIPE: a worker may die while its task is written to it.
    /// - Throws: `Problem` `worker-not-found`.
    public init(configuration: Configuration = Configuration()) throws {
        self.configuration = configuration
        let path =
            configuration.executable.map { URL(filePath: $0).standardizedFileURL.path }
            ?? Self.directoryOfExecutable() + "/burn-worker"
        guard access(path, X_OK) == 0 else {
            throw Problem(
                .internal, code: "worker-not-found", title: "The worker program is not there",
                detail: "\(path): \(String(cString: strerror(errno)))",
                fix: "Install burn-worker beside burnd, or configure its path.")
        }
        executable = path
        signal(SIGPIPE, SIG_IGN)
    }

    private static func directoryOfExecutable() -> String {
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: path ?? CommandLine.arguments[0]).deletingLastPathComponent().path
    }

    /// Runs one worker to its end, on a Dispatch thread.
    /// - Parameter receive: gets every message but heartbeats and the last frame, in order, on that thread; the
    ///   worker waits when it takes long. When it throws, the worker is killed.
    public func run(
        _ task: WorkerTask, control: WorkerControl = WorkerControl(),
        receive: @escaping @Sendable (WorkerMessage) throws -> Void
    ) async -> WorkerExit {
        await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: self.runBlocking(task, control: control, receive: receive))
            }
        }
    }

    /// The same on the calling thread, which must not be one of the cooperative pool.
    public func runBlocking(
        _ task: WorkerTask, control: WorkerControl = WorkerControl(),
        receive: (WorkerMessage) throws -> Void
    ) -> WorkerExit {
        if control.isCancelled { return .cancelled }
        // A crashed worker dies at once: its backtracer would be another program to start.
        var environment = [
            "SWIFT_BACKTRACE": "enable=no", "LC_ALL": "C.UTF-8", "TMPDIR": task.outputDirectory,
        ]
        environment.merge(WorkerEnvironment.libraries) { own, _ in own }
        environment.merge(configuration.environment) { _, configured in configured }
        let confinement = confinement(of: task)
        var task = task
        task.confinement = confinement
        task.device = task.isComputation ? configuration.device : .cpu
        do {
            let frame = try Frame.encode(task)
            let kills = OutOfMemoryKills()
            let group = confinement.memoryBytes.flatMap {
                try? configuration.cgroups?.make(memoryBytes: $0)
            }
            defer { group?.remove() }
            let process = try WorkerProcess(executable: executable, environment: environment)
            // Before its task: until then it holds nothing. Where it fails, the watch still counts.
            try? group?.take(process.pid)
            var watch = WorkerWatch(
                process: process, frame: frame, confinement: confinement, group: group,
                configuration: configuration)
            return watch.run(control: control, kills: kills, receive: receive)
        } catch let problem as Problem {
            return .notStarted(problem)
        } catch {
            return .notStarted(
                Problem(
                    .internal, code: "worker-not-started", title: "The worker could not be started",
                    detail: "Its task cannot be encoded: \(error)"))
        }
    }
}

extension WorkerSupervisor {
    private func confinement(of task: WorkerTask) -> WorkerConfinement {
        let seconds =
            switch task.kind {
            case .probeModel, .importDataset: configuration.importSeconds
            case .analyse, .train, .evaluate, .perturb: configuration.jobSeconds
            case .render: configuration.renderSeconds
            case .thumbnails: configuration.importSeconds
            }
        return WorkerConfinement(
            mode: configuration.sandbox, memoryBytes: configuration.memoryBytes, seconds: seconds,
            fileBytes: configuration.fileBytes)
    }
}

/// The kernel's count of processes it killed for want of memory, to tell such a SIGKILL from another.
struct OutOfMemoryKills {
    private let before = Self.count()

    var grew: Bool { Self.count() > before }

    private static func count() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/vmstat", encoding: .utf8) else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
        return line.flatMap { Int($0.dropFirst("oom_kill ".count)) } ?? 0
    }
}
