/// What a job does.
public enum JobType: String, Codable, Hashable, Sendable, CaseIterable {
    /// Analyse, and stop after the verdict.
    case scan
    /// Analyse, then decouple, refine and write the purified model.
    case purify
}

/// How pixels become the model's input: `x = (low + pixel / 255 * (high - low) - mean) / std`.
public struct InputScaling: Codable, Hashable, Sendable {
    /// `[low, high]`, the interval that pixel values 0 to 255 are mapped to.
    public var range: [Double]
    /// Per channel, in units of `range`; empty for none.
    public var mean: [Double]
    /// Per channel, in units of `range`; empty for none.
    public var std: [Double]

    public init(range: [Double] = [0, 1], mean: [Double] = [], std: [Double] = []) {
        self.range = range
        self.mean = mean
        self.std = std
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let defaults = InputScaling()
        range = try container.decodeIfPresent([Double].self, forKey: .range) ?? defaults.range
        mean = try container.decodeIfPresent([Double].self, forKey: .mean) ?? defaults.mean
        std = try container.decodeIfPresent([Double].self, forKey: .std) ?? defaults.std
    }
}

/// A job's options, with the names they have in the REST API. Absent ones take their defaults.
public struct JobOptions: Codable, Hashable, Sendable {
    /// How the boundary distance is found.
    public enum DistanceMethod: String, Codable, Hashable, Sendable, CaseIterable {
        /// Newton steps on the margin, then bisection: 2 to 3 gradients a sample.
        case newton
        /// Decoupled direction and norm (Rony et al., CVPR 2019), 40 steps: slower, tighter.
        case ddn
    }

    /// Which samples are pushed over the decision boundary, for their distances and adversarial labels.
    public enum Analysis: String, Codable, Hashable, Sendable, CaseIterable {
        /// Those of classes under suspicion, and some of every other class.
        case suspects
        /// All of them, which costs six to eight times as much. The verdict is the same, but for sets that are otherwise surveyed in
        /// part.
        case full
    }

    /// What looks for a backdoor and removes it.
    public enum Method: String, Codable, Hashable, Sendable, CaseIterable {
        /// All kinds of evidence and all treatments.
        case full
        /// BURN as its abstract describes it (arXiv 2507.10491), to compare with: abnormal boundary distances, adversarial
        /// labels, refinement by what the models disagree about, and nothing else.
        case published
    }

    /// How exactly the model's passes are computed.
    public enum Precision: String, Codable, Hashable, Sendable, CaseIterable {
        /// In bfloat16 where the processor gains by it and a trial on the job's images passes; what is said of one sample is
        /// computed in full.
        case auto
        /// In float32 on every processor.
        case full
    }

    /// Seeds every random choice: the same input, options and seed give the same verdict and labels.
    public var seed: UInt64
    public var input: InputScaling
    /// Class folder name to model output index. Nil: see `ClassOrder`; where nothing else is known, the sorted folder
    /// names are outputs 0, 1, 2 …
    public var classes: [String: Int]?
    public var method: Method
    public var distance: DistanceMethod
    /// Nil for jobs of before there was a choice, which analysed all samples.
    public var analysis: Analysis?
    /// Nil for jobs of before there was a choice, which computed in full.
    public var precision: Precision?
    /// The most refinement rounds (phase 2); 0 keeps what decoupling made.
    public var rounds: Int
    /// Purify even where the verdict is only "suspicious".
    public var force: Bool
    /// Intra-op threads of the worker. Nil: all the processors it may use.
    public var threads: Int?
    /// The most slots that the job uses: its own, and others while no job waits for them. Nil: as the service is set. What is
    /// found does not depend on it.
    public var slots: Int?
    /// The id of a data set, small as it may be, whose images and labels the user trusts. Purified models are measured on
    /// a half of it, and learn from the other.
    public var trusted: String?
    /// Go on although the model's predictions do not agree with the given labels.
    public var acceptDisagreement: Bool
    /// Settings of the method; nil for the defaults.
    public var parameters: Parameters?

    public init(
        seed: UInt64 = 0, input: InputScaling = InputScaling(), classes: [String: Int]? = nil,
        method: Method = .full, distance: DistanceMethod = .newton, analysis: Analysis? = .suspects,
        precision: Precision? = .auto, rounds: Int = 3, force: Bool = false, threads: Int? = nil,
        slots: Int? = nil, trusted: String? = nil,
        acceptDisagreement: Bool = false, parameters: Parameters? = nil
    ) {
        self.seed = seed
        self.input = input
        self.classes = classes
        self.method = method
        self.distance = distance
        self.analysis = analysis
        self.precision = precision
        self.rounds = rounds
        self.force = force
        self.threads = threads
        self.slots = slots
        self.trusted = trusted
        self.acceptDisagreement = acceptDisagreement
        self.parameters = parameters
    }

    /// The published method judges by the distances of all samples.
    public var analysesAllSamples: Bool { analysis != .suspects || method == .published }

    enum CodingKeys: String, CodingKey {
        case seed, input, classes, method, distance, analysis, precision, rounds, force, threads, slots,
            trusted,
            parameters
        case acceptDisagreement = "accept_disagreement"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let defaults = JobOptions()
        seed = try container.decodeIfPresent(UInt64.self, forKey: .seed) ?? defaults.seed
        input = try container.decodeIfPresent(InputScaling.self, forKey: .input) ?? defaults.input
        classes = try container.decodeIfPresent([String: Int].self, forKey: .classes)
        method = try container.decodeIfPresent(Method.self, forKey: .method) ?? defaults.method
        distance = try container.decodeIfPresent(DistanceMethod.self, forKey: .distance) ?? defaults.distance
        analysis = try container.decodeIfPresent(Analysis.self, forKey: .analysis)
        precision = try container.decodeIfPresent(Precision.self, forKey: .precision)
        rounds = try container.decodeIfPresent(Int.self, forKey: .rounds) ?? defaults.rounds
        force = try container.decodeIfPresent(Bool.self, forKey: .force) ?? defaults.force
        threads = try container.decodeIfPresent(Int.self, forKey: .threads)
        slots = try container.decodeIfPresent(Int.self, forKey: .slots)
        trusted = try container.decodeIfPresent(String.self, forKey: .trusted)
        acceptDisagreement =
            try container.decodeIfPresent(Bool.self, forKey: .acceptDisagreement)
            ?? defaults.acceptDisagreement
        parameters = try container.decodeIfPresent(Parameters.self, forKey: .parameters)
    }
}
