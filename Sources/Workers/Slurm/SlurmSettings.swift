import Support
import WorkerProtocol

/// How the service uses a Slurm cluster.
public struct SlurmSettings: Sendable {
    /// What is asked for one kind of task, at most.
    public struct Resources: Hashable, Sendable {
        public var memoryBytes: Int
        public var minutes: Int

        public init(memoryBytes: Int, minutes: Int) {
            self.memoryBytes = memoryBytes
            self.minutes = minutes
        }
    }

    /// What is asked for a job.
    public enum Sizing: String, Sendable, CaseIterable {
        /// What it is expected to take; all of `SlurmSettings.job` only where it turns out to take more.
        case estimated
        /// Always that.
        case fixed
    }

    public var partition: String?
    public var account: String?
    public var qos: String?
    public var gres: String?
    public var constraint: String?
    /// Of one task.
    public var processors = 1
    public var sizing = Sizing.estimated
    public var job = Resources(memoryBytes: 8 << 30, minutes: 48 * 60)
    public var importing = Resources(memoryBytes: 4 << 30, minutes: 6 * 60)
    /// Further arguments of srun, `--name` or `--name=value`.
    public var arguments: [String] = []
    /// Tasks that are handed to Slurm at the same time, waiting ones too.
    public var tasks = 32
    /// The folder of srun and the other commands; nil: they are looked for.
    public var programs: String?
    /// slurm.conf; nil: where Slurm looks for it.
    public var file: String?

    public init() {}

    /// Whether the text can be the name of a partition and such.
    public static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 500 && !text.hasPrefix("-")
            && text.utf8.allSatisfy {
                (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "'") && $0 != UInt8(ascii: "\"")
            }
    }

    /// What is asked for a task.
    func request(for task: WorkerTask) -> WorkerPlacement.Request {
        guard task.isComputation else { return request(importing) }
        var request = request(job)
        guard sizing == .estimated else { return request }
        request.processors = min(task.threads ?? processors, processors)
        if let estimate = task.estimate {
            request.memoryBytes = min(job.memoryBytes, estimate.memoryBytes(threads: request.processors))
            request.minutes = min(job.minutes, estimate.minutes(threads: request.processors))
        }
        return request
    }

    /// The most that is asked for a task of a kind.
    func request(_ most: Resources) -> WorkerPlacement.Request {
        WorkerPlacement.Request(memoryBytes: most.memoryBytes, minutes: most.minutes, processors: processors)
    }

    /// What srun is told to allocate. The further arguments come first: where two say the same, srun goes by the last. Should
    /// the last of them want a value that it does not have, it finds an option that comes again.
    func options(_ request: WorkerPlacement.Request) -> [String] {
        var options = arguments.isEmpty ? [] : arguments + ["--quiet"]
        for (name, value) in [
            ("partition", partition), ("account", account), ("qos", qos), ("gres", gres),
            ("constraint", constraint),
        ] {
            if let value { options.append("--\(name)=\(value)") }
        }
        return options + [
            "--ntasks=1", "--nodes=1", "--cpus-per-task=\(request.processors)",
            "--mem=\(max(1, request.memoryBytes >> 20))M", "--time=\(request.minutes)",
        ]
    }
}
