import Findings

/// What one `burn-worker` process is started to do: the first and only frame on its standard input.
///
/// Paths are absolute. Inputs are opened read-only; everything is written below `outputDirectory`.
public struct WorkerTask: Codable, Hashable, Sendable {
    public enum Kind: Codable, Hashable, Sendable {
        case checkUpload(CheckUpload)
        case probeModel(ProbeModel)
        case importDataset(ImportDataset)
        /// Open and check all that a job would, compare the model's predictions with the labels on a bounded sample, answer with
        /// `.agreement`, and stop.
        case agreement(Analyse)
        case analyse(Analyse)
        /// Take parts of a job that another worker runs, until the input ends: answer with `.helping`, and each
        /// `WorkerNotice.part` with `.partFinished`.
        case help(Analyse)
        case train(Train)
        case evaluate(Evaluate)
        case perturb(Perturb)
        case render(Render)
        case thumbnails(Thumbnails)
        case checkNode(CheckNode)
    }

    public var kind: Kind
    public var outputDirectory: String
    /// Set by the supervisor; nil stands for the defaults.
    public var confinement: WorkerConfinement?
    /// Set by the supervisor; nil stands for the processor.
    public var device: ComputeDevice?
    /// Which of the machine's GPUs, from 0; beyond the last, from the first again. Nil: the first that the worker is given.
    public var gpu: Int?
    /// What it is expected to take; nil where that is not known, or known to be too little.
    public var estimate: JobEstimate?

    public init(kind: Kind, outputDirectory: String) {
        self.kind = kind
        self.outputDirectory = outputDirectory
    }

    /// Every file and folder that the task reads.
    public var inputs: [String] {
        switch kind {
        case .checkUpload(let check): [check.file]
        case .probeModel(let probe): [probe.model] + Self.files(of: probe.skeleton)
        case .importDataset(let load): [load.source] + (load.parts ?? [])
        case .agreement(let analyse), .analyse(let analyse):
            [analyse.model, analyse.dataset] + Self.files(of: analyse.skeleton)
                + [
                    analyse.evaluation?.clean, analyse.evaluation?.triggered, analyse.trusted,
                    analyse.reviews, analyse.sharing?.folder,
                ]
                .compactMap(\.self)
        case .help(let analyse):
            [analyse.model, analyse.dataset] + Self.files(of: analyse.skeleton)
                + [analyse.evaluation?.clean, analyse.evaluation?.triggered].compactMap(\.self)
        case .train(let train): [train.model, train.dataset]
        case .evaluate(let evaluate):
            [evaluate.model] + [evaluate.clean, evaluate.triggered].compactMap(\.self)
        case .perturb(let perturb): [perturb.model, perturb.dataset]
        case .render(let render): [render.model, render.dataset] + Self.files(of: render.skeleton)
        case .thumbnails(let thumbnails): [thumbnails.dataset]
        case .checkNode(let check): [check.token]
        }
    }

    /// Threads that its user wants it to use; nil: as many as there are.
    public var threads: Int? {
        switch kind {
        case .analyse(let task), .help(let task), .agreement(let task): task.options.threads
        case .train(let task): task.options.threads
        case .evaluate(let task): task.options.threads
        case .perturb(let task): task.options.threads
        case .render(let task): task.options.threads
        case .checkUpload, .probeModel, .importDataset, .thumbnails, .checkNode: nil
        }
    }

    /// It uses no more threads than this.
    public mutating func limit(threads: Int) {
        func bound(_ options: inout JobOptions) {
            options.threads = min(options.threads ?? threads, threads)
        }
        switch kind {
        case .analyse(var task):
            bound(&task.options)
            kind = .analyse(task)
        case .help(var task):
            bound(&task.options)
            kind = .help(task)
        case .agreement(var task):
            bound(&task.options)
            kind = .agreement(task)
        case .train(var task):
            bound(&task.options)
            kind = .train(task)
        case .evaluate(var task):
            bound(&task.options)
            kind = .evaluate(task)
        case .perturb(var task):
            bound(&task.options)
            kind = .perturb(task)
        case .render(var task):
            bound(&task.options)
            kind = .render(task)
        case .checkUpload, .probeModel, .importDataset, .thumbnails, .checkNode: break
        }
    }

    /// Whether a model does more than answer once: what a GPU is worth starting for.
    public var isComputation: Bool {
        switch kind {
        case .agreement, .analyse, .help, .train, .evaluate, .perturb: true
        case .checkUpload, .probeModel, .importDataset, .render, .thumbnails, .checkNode: false
        }
    }

    /// It works with others on one job.
    public var isShared: Bool {
        switch kind {
        case .analyse(let task): task.sharing != nil
        case .help: true
        default: false
        }
    }

    private static func files(of skeleton: ModelSkeleton?) -> [String] {
        if case .file(let path, _) = skeleton { [path] } else { [] }
    }

    /// Check a model file, run it once, answer with `.modelProbed`.
    public struct ProbeModel: Codable, Hashable, Sendable {
        public var model: String
        public var skeleton: ModelSkeleton?

        public init(model: String, skeleton: ModelSkeleton? = nil) {
            self.model = model
            self.skeleton = skeleton
        }
    }

    /// Decode an archive (or a folder) of images into a packed data set in `outputDirectory`, answer
    /// with `.datasetImported`.
    public struct ImportDataset: Codable, Hashable, Sendable {
        public var source: String
        /// Further files of the same set.
        public var parts: [String]?
        public var limits: ImportLimits
        public var options: ImportOptions

        public init(
            source: String, parts: [String]? = nil, limits: ImportLimits = ImportLimits(),
            options: ImportOptions = ImportOptions()
        ) {
            self.source = source
            self.parts = parts
            self.limits = limits
            self.options = options
        }
    }

    /// Run a scan or a purification.
    public struct Analyse: Codable, Hashable, Sendable {
        public struct EvaluationSets: Codable, Hashable, Sendable {
            /// Packed data set folders.
            public var clean: String?
            public var triggered: String?
            public var targetClass: Int?

            public init(clean: String?, triggered: String?, targetClass: Int?) {
                self.clean = clean
                self.triggered = triggered
                self.targetClass = targetClass
            }
        }

        public var type: JobType
        public var model: String
        /// Where the graph of a model comes from whose file holds weights alone.
        public var skeleton: ModelSkeleton?
        /// Packed data set folder.
        public var dataset: String
        public var evaluation: EvaluationSets?
        /// Packed data set folder of `options.trusted`.
        public var trusted: String?
        public var options: JobOptions
        /// A `ReviewFile` that the purification goes by.
        public var reviews: String?
        /// Nil for a job that one worker does alone.
        public var sharing: Sharing?

        public init(
            type: JobType, model: String, skeleton: ModelSkeleton? = nil, dataset: String,
            evaluation: EvaluationSets?, trusted: String? = nil, options: JobOptions, reviews: String? = nil,
            sharing: Sharing? = nil
        ) {
            self.type = type
            self.model = model
            self.skeleton = skeleton
            self.dataset = dataset
            self.evaluation = evaluation
            self.trusted = trusted
            self.options = options
            self.reviews = reviews
            self.sharing = sharing
        }
    }
}

/// Bounds on what an archive may unpack to.
public struct ImportLimits: Codable, Hashable, Sendable {
    public var maximumImages: Int
    public var maximumClasses: Int
    /// Width or height of one image, in pixels.
    public var maximumSide: Int
    /// Bytes of one encoded image.
    public var maximumEntryBytes: Int
    /// Bytes of the packed array.
    public var maximumPackedBytes: Int
    /// Bytes of one image's pixels, decoded at its full size.
    public var maximumImageMemory: Int

    public init(
        maximumImages: Int = 5_000_000, maximumClasses: Int = 10_000, maximumSide: Int = 65_535,
        maximumEntryBytes: Int = 64 << 20, maximumPackedBytes: Int = 256 << 30,
        maximumImageMemory: Int = 256 << 20
    ) {
        self.maximumImages = maximumImages
        self.maximumClasses = maximumClasses
        self.maximumSide = maximumSide
        self.maximumEntryBytes = maximumEntryBytes
        self.maximumPackedBytes = maximumPackedBytes
        self.maximumImageMemory = maximumImageMemory
    }
}
