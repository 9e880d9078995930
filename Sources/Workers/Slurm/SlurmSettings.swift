import Support

/// How the service uses a Slurm cluster.
public struct SlurmSettings: Sendable {
    /// What one kind of task asks for.
    public struct Resources: Hashable, Sendable {
        public var memoryBytes: Int
        public var minutes: Int

        public init(memoryBytes: Int, minutes: Int) {
            self.memoryBytes = memoryBytes
            self.minutes = minutes
        }
    }

    public var partition: String?
    public var account: String?
    public var qos: String?
    public var gres: String?
    public var constraint: String?
    /// Of one task.
    public var processors = 1
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

    /// Options whose effect the service depends on.
    private static let own: Set<String> = [
        "input", "output", "error", "label", "pty", "ntasks", "nodes", "export", "job-name", "jobid",
        "multi-prog",
        "unbuffered", "chdir", "no-allocate", "quiet", "propagate", "immediate", "test-only", "bcast", "mpi",
        "partition", "account", "qos", "gres", "constraint", "cpus-per-task", "mem", "mem-per-cpu", "time",
        "verbose",
        "array", "begin", "hold", "dependency", "help", "usage", "version", "wait", "disable-status",
        "no-kill",
        "clusters", "container", "quit-on-interrupt", "user", "uid", "gid", "ntasks-per-node", "het-group",
        "preserve-env", "kill-on-bad-exit", "slurmd-debug",
    ]

    /// Whether srun may be given this argument besides those that the service sets itself.
    public static func isArgument(_ text: String) -> Bool {
        guard text.hasPrefix("--"), text.isPlain, text.utf8.count <= 500 else { return false }
        let name = text.dropFirst(2).prefix { $0 != "=" }
        // Slurm takes abbreviations of a name too.
        return name.count >= 2 && !own.contains { $0.hasPrefix(name) }
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }

    /// Whether the text can be the name of a partition and such.
    public static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 500 && !text.hasPrefix("-")
            && text.utf8.allSatisfy {
                (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "'") && $0 != UInt8(ascii: "\"")
            }
    }

    /// What srun is told to allocate.
    func request(_ resources: Resources) -> [String] {
        var options: [String] = []
        for (name, value) in [
            ("partition", partition), ("account", account), ("qos", qos), ("gres", gres),
            ("constraint", constraint),
        ] {
            if let value { options.append("--\(name)=\(value)") }
        }
        return options + [
            "--ntasks=1", "--nodes=1", "--cpus-per-task=\(processors)",
            "--mem=\(max(1, resources.memoryBytes >> 20))M", "--time=\(resources.minutes)",
        ] + arguments
    }
}
