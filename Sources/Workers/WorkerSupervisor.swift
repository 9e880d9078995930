import Foundation
import Support
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
        /// Time and memory for the look at an upload before it is kept.
        public var checkSeconds = 120
        public var checkMemoryBytes = 2 << 30
        /// Workers that wait for such a look, started beforehand.
        public var reserve = 0
        /// Of one file that a worker writes. Nil: no limit.
        public var fileBytes: Int?
        /// Where each worker gets a control group. Nil: its memory is watched instead.
        public var cgroups: WorkerCgroups?
        /// Told of a worker that runs without the control group that was meant for it, and why.
        public var lostGroup: @Sendable (_ reason: String) -> Void = { _ in }
        /// Where tasks run.
        public var executor: any WorkerExecutor = LocalExecutor()

        public init() {}
    }

    public let configuration: Configuration
    /// Absolute path of the worker's program.
    public let executable: String
    private let reserve: WorkerReserve
    private static let threadName = "burn.supervisor"

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
        let environment = Self.environment(configuration)
        reserve = WorkerReserve(size: configuration.reserve) {
            try WorkerProcess(executable: path, environment: environment)
        }
        signal(SIGPIPE, SIG_IGN)
    }

    private static func directoryOfExecutable() -> String {
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: path ?? CommandLine.arguments[0]).deletingLastPathComponent().path
    }

    /// Runs one worker to its end, on a thread of its own.
    /// - Parameter receive: gets every message but heartbeats and the last frame, in order, on that thread; the
    ///   worker waits when it takes long. When it throws, the worker is killed.
    public func run(
        _ task: WorkerTask, for label: WorkerLabel? = nil, control: WorkerControl = WorkerControl(),
        receive: @escaping @Sendable (WorkerMessage) throws -> Void
    ) async -> WorkerExit {
        await withCheckedContinuation { continuation in
            OwnThread.run(Self.threadName) {
                continuation.resume(
                    returning: self.runBlocking(task, for: label, control: control, receive: receive))
            }
        }
    }

    /// The same with a worker that was started beforehand, where one waits: nobody waits for its start then.
    public func runAtOnce(
        _ task: WorkerTask, control: WorkerControl = WorkerControl(),
        receive: @escaping @Sendable (WorkerMessage) throws -> Void
    ) async -> WorkerExit {
        await withCheckedContinuation { continuation in
            let isTaken = reserve.take { process in
                let run = LocalRun(command: self.command)
                continuation.resume(
                    returning: self.watch(task, run, process, control: control, receive: receive))
            }
            guard !isTaken else { return }
            OwnThread.run(Self.threadName) {
                continuation.resume(returning: self.runBlocking(task, control: control, receive: receive))
            }
        }
    }

    /// Starts the workers of the reserve, which `runAtOnce` takes.
    public func openReserve() { reserve.open() }

    /// Lets the workers of the reserve go.
    public func closeReserve() { reserve.close() }

    /// The same on the calling thread, which must be one that may block for as long as the worker runs (`OwnThread`).
    /// - Parameters:
    ///   - label: whose task it is; nil: nobody's that is known beyond this process.
    ///   - place: told of where the task is, on the same thread as `receive`; thrown errors end the worker likewise.
    public func runBlocking(
        _ task: WorkerTask, for label: WorkerLabel? = nil, control: WorkerControl = WorkerControl(),
        place: (WorkerPlacement) throws -> Void = { _ in }, receive: (WorkerMessage) throws -> Void
    ) -> WorkerExit {
        if control.isCancelled { return .cancelled }
        do {
            let label = label ?? WorkerLabel(id: UUID().uuidString.lowercased(), attempt: 1)
            let run = try configuration.executor.prepare(task, for: label, worker: command)
            let process = try WorkerProcess(run.command)
            return watch(task, run, process, control: control, place: place, receive: receive)
        } catch { return Self.notStarted(error) }
    }

    /// How the worker's program is started.
    private var command: WorkerCommand {
        WorkerCommand(executable: executable, environment: Self.environment(configuration))
    }

    /// Gives a worker its task and follows it to its end.
    private func watch(
        _ task: WorkerTask, _ run: any WorkerRun, _ process: consuming WorkerProcess, control: WorkerControl,
        place: (WorkerPlacement) throws -> Void = { _ in }, receive: (WorkerMessage) throws -> Void
    ) -> WorkerExit {
        // It may have been killed while it waited.
        if run.isLocal, process.hasEnded {
            _ = process.reap()
            return runBlocking(task, control: control, receive: receive)
        }
        var confinement = confinement(of: task)
        if let bytes = run.memoryBytes { confinement.memoryBytes = bytes }
        var task = task
        task.confinement = confinement
        if let processors = run.processors { task.limit(threads: processors) }
        task.device = task.isComputation ? configuration.device : .cpu
        let frame: Data
        let group: WorkerCgroup?
        do {
            frame = try Frame.encode(task)
            // Before its task: until then it holds nothing.
            group = run.isLocal ? try self.group(confinement, for: process.pid) : nil
        } catch {
            process.killGroup()
            _ = process.reap()
            return Self.notStarted(error)
        }
        let kills = OutOfMemoryKills()
        defer { group?.remove() }
        var watch = WorkerWatch(
            process: process, run: run, frame: frame, confinement: confinement, group: group,
            configuration: configuration)
        return watch.run(control: control, kills: kills, place: place, receive: receive)
    }

    /// Nil where there are no groups; also, with a word to whoever listens, where none could be made and the watch over
    /// the worker's memory will do.
    /// - Throws: `Problem` `worker-confinement` where confinement is required.
    private func group(_ confinement: WorkerConfinement, for process: pid_t) throws -> WorkerCgroup? {
        guard let bytes = confinement.memoryBytes, let groups = configuration.cgroups else { return nil }
        do {
            let group = try groups.make(memoryBytes: bytes)
            do { try group.take(process) } catch {
                group.remove()
                throw error
            }
            return group
        } catch {
            configuration.lostGroup("\(error)")
            guard confinement.mode == .required else { return nil }
            throw Problem(
                .internal, code: "worker-confinement", title: "The worker cannot be confined",
                detail: "Its control group: \(error).", location: "sandbox",
                fix:
                    "Let the service have control groups of its own (systemd: Delegate=memory pids), or accept workers "
                    + "whose memory is watched instead: sandbox: preferred.")
        }
    }

    private static func environment(_ configuration: Configuration) -> [String: String] {
        // A crashed worker dies at once: its backtracer would be another program to start.
        ["SWIFT_BACKTRACE": "enable=no", "LC_ALL": "C.UTF-8"]
            .merging(WorkerEnvironment.libraries) { own, _ in own }
            .merging(configuration.environment) { _, configured in configured }
    }

    private static func notStarted(_ error: any Error) -> WorkerExit {
        .notStarted(
            error as? Problem
                ?? Problem(
                    .internal, code: "worker-not-started", title: "The worker could not be started",
                    detail: "Its task cannot be encoded: \(error)"))
    }
}

extension WorkerSupervisor {
    private func confinement(of task: WorkerTask) -> WorkerConfinement {
        var memory = configuration.memoryBytes
        let seconds: Int?
        switch task.kind {
        case .checkUpload:
            seconds = configuration.checkSeconds
            memory = min(memory ?? .max, configuration.checkMemoryBytes)
        case .probeModel, .importDataset, .thumbnails, .checkNode: seconds = configuration.importSeconds
        case .agreement, .analyse, .help, .train, .evaluate, .perturb: seconds = configuration.jobSeconds
        case .render: seconds = configuration.renderSeconds
        }
        var mode = configuration.sandbox
        if case .checkNode(let check) = task.kind, check.isStrict, mode == .preferred { mode = .required }
        return WorkerConfinement(
            mode: mode, memoryBytes: memory, seconds: seconds, fileBytes: configuration.fileBytes)
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
