/// An option of srun besides those that the service sets itself.
enum SlurmArgument {
    /// Why srun is not given an option.
    enum Fault: Error, Hashable {
        /// It is not `--name` or `--name=value`.
        case form
        /// The service sets it, or could not work with it.
        case own(String)
        case valueMissing, valueNotTaken

        var words: String {
            switch self {
            case .form: "is not of the form --name or --name=value"
            case .own(let name): "is, or may be short for, --\(name), which is the service's to set"
            case .valueMissing: "needs a value: --name=value"
            case .valueNotTaken: "takes no value"
            }
        }
    }

    /// What the service sets itself, or leaves out so that it holds: one worker for a task, which reads and writes the pipes
    /// of its srun and nothing else does, in the service's folder, under a name and with limits that the service knows.
    private static let own =
        // The pipes: who writes into them, and how.
        names(
            """
            input output error open-mode label unbuffered pty x11 quiet verbose slurmd-debug prolog epilog task-prolog
            task-epilog multi-prog autocomplete launch-cmd launcher-opts
            """)
        // The one program, its folder and its environment.
        + names(
            """
            ntasks ntasks-per-node ntasks-per-core ntasks-per-socket ntasks-per-gpu nodes chdir export export-file
            propagate preserve-env mpi resv-ports bcast bcast-exclude send-libs compress container container-id
            interactive external-launcher
            """)
        // One job of its own, here and now, by this user, under its name.
        + names(
            """
            job-name jobid het-group pack-group array clusters cluster-constraint user uid gid begin hold dependency
            immediate no-allocate overlap exact relative test-only help usage version async
            """)
        // How it ends.
        + names("wait disable-status quit-on-interrupt kill-on-bad-exit no-kill signal")
        // What is asked for, in settings of its own.
        + names(
            """
            partition account qos gres constraint cpus-per-task cpus-per-gpu mem mem-per-cpu mem-per-gpu time time-min
            """)

    /// Of the others that srun 22.05 to 24.11 know, those that want a value.
    private static let valued = names(
        """
        accel-bind acctg-freq bb bbf comment core-spec cores-per-socket cpu-bind cpu-freq deadline delay-boot distribution
        exclude extra extra-node-info gpu-bind gpu-freq gpus gpus-per-node gpus-per-socket gpus-per-task gres-flags hint
        licenses mail-type mail-user mcs-label mem-bind mincpus msg-timeout network nodefile nodelist oom-kill-step power
        prefer priority profile reservation segment sockets-per-node switches thread-spec threads threads-per-core tmp
        tree-width tres-bind tres-per-task wckey
        """)
    /// Those that take none.
    private static let plain = names(
        "contiguous overcommit oversubscribe reboot spread-job stepmgr use-min-nodes")

    private static func names(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// - Returns: nil where srun may be given it.
    static func fault(_ text: String) -> Fault? {
        guard text.hasPrefix("--"), text.isPlain, text.utf8.count <= 500 else { return .form }
        let parts = text.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first.map(String.init), name.count >= 2,
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
        else { return .form }
        let value = parts.count > 1 ? parts[1] : nil
        if valued.contains(name) { return value?.isEmpty == false ? nil : .valueMissing }
        if plain.contains(name) { return value == nil ? nil : .valueNotTaken }
        // srun takes abbreviations of a name too.
        if let own = own.first(where: { $0.hasPrefix(name.lowercased()) }) { return .own(own) }
        // The abbreviation of one that wants a value may want one too.
        if value == nil, valued.contains(where: { $0.hasPrefix(name) }) { return .valueMissing }
        return value?.isEmpty == true ? .valueMissing : nil
    }
}

extension SlurmSettings {
    /// Why srun may not be given this argument, as the end of a sentence; nil where it may.
    public static func fault(ofArgument text: String) -> String? { SlurmArgument.fault(text)?.words }
}
