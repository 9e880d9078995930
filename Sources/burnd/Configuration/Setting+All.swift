import API
import HTTPServer
import Webhooks
import Workers

/// Every setting, in the order of the documented file. Those of a section stand together.
extension Setting {
    static let service = [
        Setting(
            "listen", \.listen, "HOST:PORT",
            """
            Address to listen on; port 0 takes a free one. An address that other machines can reach is refused unless
            there is a usable API key (burnd keys create) and TLS below. On loopback, keys are needed as soon as there
            is one.
            """, read: { try ListenAddress(parsing: $0) }),
        list(
            "allowed_hosts", \.allowedHosts, "host names without port",
            """
            Hosts that requests may name, without port, beside the address above and, on loopback, localhost. Others
            are answered 421. Pages in a browser must come from the very scheme, host and port that the request names,
            or from one of these hosts at its standard port; others are answered 403. A list, or one line with commas.
            Needs an API key.
            """, isValid: { HostStage.isHost($0) }),
        list(
            "trusted_proxies", \.trustedProxies, "numeric addresses",
            """
            Numeric addresses of proxies in front of the service. Their X-Forwarded-For says who the client is, and the
            limit of connections per address does not hold for them. Their X-Forwarded-Prefix replaces base_path. Needs
            an API key.
            """, isValid: { HostStage.isHost($0.contains(":") ? "[\($0)]" : $0) }),
        Setting(
            "base_path", \.basePath, "a path such as /burn that begins unlike the service's own",
            """
            Path below which a proxy serves the service, such as /burn. Links, Location and the dashboard's files have it
            in front. The proxy may leave it in the requests' paths or take it off.
            """
        ) { base in
            base == .top ? nil : base.description
        } read: { text in
            BasePath(text).flatMap { $0.collides(with: RESTService.names) ? nil : $0 }
        },
        text(
            "tls.certificate", \.tls.certificate, example: "/etc/burn/certificate.pem",
            "PEM file of the certificate with its chain; turns TLS on."),
        text(
            "tls.key", \.tls.key, example: "/etc/burn/key.pem", "PEM file of the certificate's private key."),
        Setting(
            "insecure_http", \.insecureHTTP, "true or false",
            """
            Listen beyond loopback without TLS. Only where the network or a proxy in front protects the way: API keys
            cross it in the clear.
            """, read: { Bool($0) }),
        text(
            "data", \.dataDirectory,
            """
            Folder of the database, the uploads and the results. Made when it is not there; one process at a time uses
            it.
            """),
        text(
            "worker", \.worker, example: "/usr/local/libexec/burn-worker",
            "The burn-worker program; default: the one beside burnd."),
        count(
            "slots", \.slots, 1...64,
            """
            Jobs that run at the same time, and as many imports beside them. Each is a process of its own, which uses
            all processors unless the job's options say otherwise.
            """),
        count(
            "job_slots", \.jobSlots, OptionRules.slots, example: "2",
            """
            Slots that a long job uses whose options don't say: one of its own, and others for as long as no job waits for
            them. See docs/scaling.md. Default: 4 with `executor: slurm`; 1 on one machine, whose processors a job uses in any
            case.
            """),
        count(
            "share_seconds", \.shareSeconds, 0...86_400,
            """
            Seconds that a stage of a job must still need before it takes further slots.
            """),
        choice(
            "executor", \.executor,
            """
            Where jobs and imports run: `local`, as processes of this machine; `slurm`, as tasks of a Slurm cluster, see
            docs/slurm.md. Checks of uploads and pictures are made on this machine in either case.
            """),
        choice(
            "sandbox", \.sandbox,
            """
            Workers confine themselves before they read an upload: no new files, sockets, programs or processes, only
            their inputs and one output folder. `required` refuses to start where the kernel or container cannot do
            that, `preferred` does what can be done and says in the log and in /readyz what is missing, `off` leaves it.
            """),
        choice(
            "device", \.device,
            """
            What jobs compute on: `cpu`; `cuda`, the first NVIDIA GPU, which needs a PyTorch with CUDA (see
            docs/deployment.md); `cuda-tf32`, the same with convolutions in TF32, faster and less exact; `auto`, `cuda`
            where there is one.
            """),
        count(
            "shutdown_seconds", \.shutdownSeconds, 0...3600,
            """
            Seconds that open requests get to end when the service stops. Running jobs go on after the next start.
            """),
        choice(
            "log_level", \.logLevel,
            """
            trace, debug, info, notice, warning, error or critical. Logs go to standard error.
            """),
        choice("log_format", \.logFormat, "text, or json: one object a line."),
    ]

    static let network = [
        count(
            "http.threads", \.http.threads, 1...64, "Threads that serve connections; they never block."),
        count("http.connections", \.http.connections, 1...65_000, "Connections at the same time."),
        count(
            "http.connections_per_address", \.http.connectionsPerAddress, 0...65_000,
            "Connections from one address; more are closed at once. 0: no such limit."),
        count("http.event_streams", \.http.eventStreams, 1...65_000, "Event streams at the same time."),
        count(
            "http.event_streams_per_client", \.http.eventStreamsPerClient, 1...65_000,
            "Event streams of one API key, or of one address without a key."),
        count(
            "http.header_bytes", \.http.headerBytes, 1024...1 << 20,
            "Bytes of a request's line and header section; more is answered 431."),
        count(
            "http.header_seconds", \.http.headerSeconds, 1...3600,
            "Seconds until the headers of a request must be there."),
        count(
            "http.idle_seconds", \.http.idleSeconds, 1...3600,
            "Seconds without a byte before a connection is closed."),
        count(
            "http.minimum_upload_rate", \.http.minimumUploadRate, 0...1 << 30,
            "Bytes a second that an upload must have on average after header_seconds."),
        size(
            "quotas.stored_bytes", \.quotas.storedBytes,
            "Bytes of uploads that the key keeps; more is answered 507."),
        count(
            "quotas.queued_jobs", \.quotas.queuedJobs, 0...1_000_000,
            "Its jobs that wait; more are answered 429."),
        size(
            "quotas.upload_bytes_per_hour", \.quotas.uploadBytesPerHour,
            "Bytes that it uploads in an hour; more is answered 429."),
        count(
            "quotas.job_slots", \.quotas.jobSlots, OptionRules.slots,
            "Slots that one of its jobs may use; more are answered 422."),
    ]

    static let limits = [
        size("limits.model_bytes", \.limits.modelBytes, "Largest upload of a model; more is answered 413."),
        size(
            "limits.dataset_bytes", \.limits.datasetBytes,
            "Largest upload of a data set; more is answered 413."),
        size(
            "limits.free_bytes", \.limits.freeBytes,
            """
            Free space that uploads must leave on the disk; less is answered 507. When less than that is free, running
            jobs and imports are paused; they go on by themselves.
            """),
        count(
            "limits.disk_check_seconds", \.limits.diskCheckSeconds, 1...3600,
            "Seconds between two looks at the free space."),
        size("limits.request_bytes", \.limits.requestBytes, "Largest JSON request body."),
        count(
            "limits.queued_jobs", \.limits.queuedJobs, 1...1_000_000,
            "Jobs that wait or run; more are answered 429."),
        count("limits.images", \.limits.images.maximumImages, 1...1_000_000_000, "Images of a data set."),
        count("limits.classes", \.limits.images.maximumClasses, 1...1_000_000, "Classes of a data set."),
        count(
            "limits.image_side", \.limits.images.maximumSide, 1...65_535,
            "Pixels of an image's longer side."),
        size(
            "limits.image_memory", \.limits.images.maximumImageMemory,
            "Bytes of one image's pixels (height x width x 3), decoded; four times as much are decoded at once."
        ),
        size("limits.image_bytes", \.limits.images.maximumEntryBytes, "Bytes of one encoded image."),
        size(
            "limits.packed_bytes", \.limits.images.maximumPackedBytes,
            "Bytes of all decoded pixels of a data set."),
        size(
            "limits.worker_memory", \.limits.workerMemory, example: "8 GiB",
            """
            Memory of one worker, mapped files not counted; a worker that needs more is stopped and its job fails.
            Default: four fifths of the machine's, divided by `slots`.
            """),
        count(
            "limits.job_seconds", \.limits.jobSeconds, 1...100_000_000,
            """
            Seconds that a job's worker may run. A stopped job that is tried again goes on from its last finished
            phase.
            """),
        count(
            "limits.import_seconds", \.limits.importSeconds, 1...100_000_000,
            "Seconds that the worker may run which reads an upload."),
        count(
            "limits.check_seconds", \.limits.checkSeconds, 1...86_400,
            """
            Seconds that a worker may look at an upload's structure before it is kept. A file whose check ends otherwise
            is refused.
            """),
        size("limits.check_memory", \.limits.checkMemory, "Memory that this check may take."),
        count(
            "limits.worker_silence_seconds", \.limits.silenceSeconds, 1...3600,
            """
            A worker says every two seconds that it is alive. One that does not for so many seconds hangs: it is killed,
            and its job tried again.
            """),
    ]

    static let upkeep = [
        count(
            "uploads.hours", \.uploads.hours, 1...8_760, "Hours that one waits for its next byte."),
        count(
            "uploads.unfinished", \.uploads.unfinished, 1...10_000,
            "How many of one API key may be unfinished."),
        count(
            "pictures.workers", \.pictures.workers, 1...16, "Workers that make them, beside those of jobs."),
        size(
            "pictures.cache_bytes", \.pictures.cacheBytes,
            "How much is kept to be shown again; what was looked at longest ago goes first."),
        count(
            "retention.days", \.retention.days, 0...36_500, "Days that a finished job is kept; 0 is for good."
        ),
        count(
            "retention.jobs", \.retention.jobs, 0...1_000_000_000,
            "Finished jobs that are kept; 0 is all of them."),
        count(
            "retention.tombstone_days", \.retention.tombstoneDays, 0...36_500,
            "Days that a removed job is answered 410."),
        list(
            "webhooks.hosts", \.webhooks.hosts, "hosts such as hooks.example.org or hooks.example.org:8443",
            """
            Where a job's webhook may lead, with the port where it is not 443. Over TLS; http://HOST:PORT where plain HTTP
            is meant. Without any, jobs with a webhook are refused.
            """, isValid: { WebhookOrigin($0) != nil }),
        text(
            "webhooks.secret_file", \.webhooks.secretFile, example: "/etc/burn/webhook-secret",
            "File of the secret that signs them, whsec_ and base64, not readable by everybody."),
        text(
            "webhooks.certificates", \.webhooks.certificates, example: "/etc/burn/our-ca.pem",
            "PEM file of certificates that are trusted beside the system's."),
        count(
            "webhooks.tries", \.webhooks.tries, 1...100, "How often one is tried before it is given up."),
        count(
            "webhooks.retry_seconds", \.webhooks.retrySeconds, 1...3600,
            "Seconds before the second try; doubles with each, up to an hour."),
    ]

    static let slurm = [
        name("slurm.partition", \.slurm.partition, example: "main", "Partition; default: Slurm's."),
        name("slurm.account", \.slurm.account, example: "research", "Account that the tasks are charged to."),
        name("slurm.qos", \.slurm.qos, example: "normal", "Quality of service."),
        name(
            "slurm.gres", \.slurm.gres, example: "gpu:1",
            "Generic resources of a task, such as a GPU; `device` says whether it is used."),
        name("slurm.constraint", \.slurm.constraint, example: "avx512", "Features that a node must have."),
        count(
            "slurm.processors", \.slurm.processors, 1...1024,
            "Processors of a task; fewer for a job whose `options.threads` are fewer."),
        choice(
            "slurm.sizing", \.slurm.sizing,
            """
            What a job asks for: `estimated`, the memory and the time that its model and its data sets are expected to take, and
            all of `job_memory` and `job_minutes` only where it turns out to take more; `fixed`, always all of them.
            """),
        memory(
            "slurm.job_memory", \.slurm.job.memoryBytes,
            "Memory of a job's task, at most. It stands in the place of limits.worker_memory there."),
        count(
            "slurm.job_minutes", \.slurm.job.minutes, 1...1_000_000,
            "Minutes that Slurm gives a job's task, to its end, at most. limits.job_seconds holds as well."),
        memory(
            "slurm.import_memory", \.slurm.importing.memoryBytes, "Memory of a task that reads an upload."),
        count(
            "slurm.import_minutes", \.slurm.importing.minutes, 1...1_000_000,
            "Minutes that Slurm gives such a task. limits.import_seconds holds as well."),
        list(
            "slurm.arguments", \.slurm.arguments, "options of srun such as --reservation=burn",
            """
            Further options of srun, each --name or --name=value. Those that the service sets itself or could not work
            with are refused, and so are abbreviations of them.
            """,
            isValid: { text in
                guard let fault = SlurmSettings.fault(ofArgument: text) else { return true }
                throw Refused(reason: "\(text) \(fault).")
            }),
        count(
            "slurm.tasks", \.slurm.tasks, 1...1_000,
            """
            Jobs that are handed to Slurm at the same time, those that wait there too, and as many imports. `slots` has no
            say in it.
            """),
        text(
            "slurm.programs", \.slurm.programs, example: "/opt/slurm/bin",
            "Folder of srun, squeue, scancel and sinfo; default: looked for in PATH."),
        text(
            "slurm.config", \.slurm.file, example: "/etc/slurm/slurm.conf",
            "The cluster's slurm.conf; default: SLURM_CONF, or where Slurm looks for it."),
    ]

    /// What the settings of a section have in common.
    static let sections = [
        "tls": "TLS in the service itself.",
        "slurm": "What is asked of Slurm for a task. Used with executor: slurm.",
        "http": "The HTTP server.",
        "quotas": "What one API key may take, unless the key says otherwise.",
        "limits": "Limits of uploads, jobs and workers.",
        "uploads": "Resumable uploads. Their space is reserved.",
        "pictures": "Pictures of samples are made when somebody looks at them.",
        "webhooks": "Requests to other services, which tell of finished jobs. See docs/operations.md.",
        "retention": """
        Finished jobs are removed with all they found when they are older than so many days, or when there are more \
        than so many.
        """,
    ]
}
